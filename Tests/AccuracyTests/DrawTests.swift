import Accuracy
import KernelCatalog
import Kernels
import Testing

/// What arguments are drawn to hold.
struct DrawTests {
    private let reference = KernelSet(KernelCatalog.standard.exact)

    private func numbers(_ name: String, seed: UInt64, _ distribution: Distribution, count: Int = 4096) -> [Double] {
        let draw = Draw(name, seed: seed)
        return (0..<count).map { Double(draw.number($0, distribution)) }
    }

    @Test func streamsAreReproducible() {
        #expect(numbers("inp", seed: 3, .wide) == numbers("inp", seed: 3, .wide))
        #expect(numbers("inp", seed: 3, .wide) != numbers("inp", seed: 4, .wide))
        // An element is had by its index alone.
        #expect(Double(Draw("inp", seed: 3).number(4000, .wide)) == numbers("inp", seed: 3, .wide)[4000])
    }

    /// Arguments and seeds are independent of each other.
    @Test(
        arguments: [
            ("inp", 1, "dout", 1), ("inp1", 1, "inp2", 1), ("inp", 1, "inp", 2), ("inp", 0, "inp", 1 << 40),
        ] as [(String, UInt64, String, UInt64)])
    func streamsAreApart(_ a: String, _ first: UInt64, _ b: String, _ second: UInt64) {
        let (x, y) = (numbers(a, seed: first, .wide), numbers(b, seed: second, .wide))
        func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        #expect(abs(product(x, y)) < 0.08 * (product(x, x) * product(y, y)).squareRoot())
        #expect(Set(x).intersection(y).count < 5)
    }

    /// A distribution with its ends, its mean and its mean square.
    struct Moments: Sendable {
        let distribution: Distribution
        let low, high, mean, square: Double
    }

    /// The mean square of a product of uniforms is the product of theirs: of ±1/2, 1/12; of 1/2 to 3/2, 13/12.
    static let product = 1.0 / 12 * 13 / 12

    @Test(arguments: [
        Moments(distribution: .wide, low: -3, high: 3, mean: 0, square: 16 * product),
        Moments(distribution: .signed(0.5), low: -0.375, high: 0.375, mean: 0, square: 0.25 * product),
        Moments(distribution: .positive(2), low: 0, high: 2, mean: 1, square: 4.0 / 3),
        Moments(distribution: .nearOne, low: 0.5, high: 1.5, mean: 1, square: 13.0 / 12),
    ])
    func distributions(_ expected: Moments) {
        let drawn = numbers("inp", seed: 1, expected.distribution, count: 1 << 16)
        let words: [UInt64] = [0, .max, 1 << 63, 0xff_ffff]
        let all = drawn + words.map { Double(expected.distribution.number(from: $0)) }
        let (low, high) = (expected.low, expected.high)
        #expect(all.allSatisfy { low <= $0 && $0 <= high })
        // A scale, such as a second moment, is above 0.
        #expect(low < 0 || all.allSatisfy { $0 > 0 })
        let n = Double(drawn.count)
        let mean = drawn.reduce(0, +) / n
        let square = drawn.reduce(0) { $0 + $1 * $1 } / n
        #expect(abs(mean - expected.mean) < 0.01 * high)
        #expect(abs(square - expected.square) < 0.02 * expected.square)
        // Both ends are reached.
        let tenth = 0.1 * (high - low)
        #expect((drawn.min() ?? 0) < low + tenth && (drawn.max() ?? 0) > high - tenth)
    }

    /// Sums of such numbers round: the last bit of the mantissa is as often 1 as 0.
    @Test func mantissasAreFull() {
        let draw = Draw("inp", seed: 1)
        let odd = (0..<4096).count { draw.number($0, .wide).significandBitPattern & 1 == 1 }
        #expect((1848...2248).contains(odd))
    }

    @Test(arguments: [1, 2, 7, 50_257])
    func tokens(below bound: Int) {
        let draw = Draw("inp", seed: 1)
        let drawn = (0..<8192).map { draw.token($0, below: bound) }
        #expect(drawn.allSatisfy { 0 <= $0 && $0 < bound })
        if bound < 100 {
            let each = 8192 / bound
            for token in 0..<bound {
                let times = drawn.count { $0 == token }
                #expect(abs(times - each) <= each / 5, "\(token)")
            }
        } else {
            #expect(Set(drawn).count > 7000)
        }
    }

    /// The published values of FNV-1a.
    @Test(
        arguments: [
            ("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8),
        ] as [(String, UInt64)])
    func hash(_ text: String, is hash: UInt64) { #expect(UInt64(hashing: text) == hash) }

    /// What a backward kernel takes of forward is what forward leaves on the same arguments, rounded to float32.
    @Test func whatFollowsFromForward() throws {
        var derived: Set<String> = []
        for kernel in KernelCatalog.standard.kernels {
            func open<K: Kernel<Float>>(_: K.Type) throws {
                guard let backward = K.InDouble.self as? any (BackwardKernel & KernelInDouble).Type else { return }
                try follow(backward, &derived)
            }
            try open(kernel)
        }
        #expect(
            derived == [
                "layernorm backward mean", "layernorm backward rstd", "attention backward att",
                "crossentropy_softmax backward probs", "flash_attention backward out", "flash_attention backward lse",
                "classifier backward lse",
            ])
    }

    private func follow<K: BackwardKernel & KernelInDouble>(_ kernel: K.Type, _ derived: inout Set<String>) throws {
        let forward = try #require(K.derivative.forward.first as? any KernelInDouble.Type)
        func open<F: KernelInDouble>(_ forward: F.Type) throws {
            for seed in 1...3 as ClosedRange<UInt64> {
                let call = DrawnCall(small: kernel, elements: 2000, seed: seed)
                let (taken, given) = (call.values(of: kernel, by: reference), call.values(of: forward, by: reference))
                for (name, left) in given.converted(to: Double.self).results(of: forward, by: reference) {
                    guard let taken = taken.numbers[name] else { continue }
                    #expect(taken == left.map { Float($0) }, "\(K.name) \(name)")
                    derived.insert("\(K.name) \(name)")
                }
                // And it is given what forward was given.
                for (name, numbers) in given.numbers where taken.numbers[name] != nil {
                    #expect(taken.numbers[name] == numbers, "\(K.name) \(name)")
                }
                for (name, tokens) in given.tokens where taken.tokens[name] != nil {
                    #expect(taken.tokens[name] == tokens, "\(K.name) \(name)")
                }
            }
        }
        try open(forward)
    }

    /// Another seed draws other numbers for every argument that is drawn.
    @Test func seedsChangeEveryArgument() {
        for kernel in KernelCatalog.standard.kernels {
            func open<K: Kernel<Float>>(_ kernel: K.Type) {
                var call = DrawnCall(small: kernel, elements: 2000, seed: 5)
                let first = call.values(of: K.InDouble.self, by: reference)
                call.seed = 6
                let second = call.values(of: K.InDouble.self, by: reference)
                #expect(Set(first.numbers.keys) == Set(second.numbers.keys))
                for (name, numbers) in first.numbers { #expect(numbers != second.numbers[name], "\(K.name) \(name)") }
            }
            open(kernel)
        }
    }

    @Test func smallCallsAreSmallAndVaried() throws {
        for kernel in KernelCatalog.standard.kernels {
            func open<K: Kernel<Float>>(_ kernel: K.Type) throws {
                let calls = (0..<16 as Range<UInt64>).map { DrawnCall(small: kernel, elements: 1500, seed: $0) }
                for call in calls {
                    let signature = try K.signature(sizes: call.sizes)
                    let elements = signature.arguments.reduce(0) { $0 + $1.count }
                    #expect(elements <= 1500 && elements >= 10, "\(K.name) at \(call.sizes)")
                }
                // Of one size alone there are few that are nearly as large as may be.
                let isOneSize = K().signature.sizes.count == 1
                #expect(Set(calls.map(\.sizes)).count > (isOneSize ? 1 : 8), "\(K.name)")
            }
            try open(kernel)
        }
    }
}
