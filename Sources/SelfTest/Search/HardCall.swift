import Accuracy
import Kernels
import Tensors

/// A call whose arguments are hard on arithmetic: one size is long, the others are short, and numbers cancel, agree or
/// differ in magnitude. What a backward kernel gets of its forward calls follows from them, as in a drawn call.
struct HardCall: Sendable {
    /// How the numbers of an argument lie to each other.
    enum Pattern: CaseIterable {
        /// As the contract draws them.
        case drawn
        /// All the same, so that roundings add up; the same with signs in turn.
        case alike, alternating
        /// Large numbers of signs in turn, with what the contract draws added.
        case cancelling
        /// One large number in so many small ones.
        case oneLarge
        /// A little above powers of 2, where roundings weigh most.
        case abovePowers
        /// From small to large, or from large to small.
        case rising, falling
    }

    /// The sizes, by name.
    let sizes: [String: Int]
    private let absent: Set<String>
    private let overwrites: Overwriting
    private let seed: UInt64

    /// A call of `kernel`, chosen at random, of at most that many elements and operations.
    init<K: Kernel<Float>>(of kernel: K.Type, limit: Int = 1 << 16, using generator: inout SplitMix64) {
        let long = K().signature.sizes.map(\.name).randomElement(using: &generator)
        var (most, sizes) = (1 << 13, [String: Int]())
        let state = generator.next()
        repeat {
            most /= 2
            var short = SplitMix64(state: state)
            sizes = K.sizes { [most] size in
                let count = size.name == long ? most / size.divisor : Int.random(in: 1...3, using: &short)
                return max(size.least, count * size.divisor)
            }
        } while most > 4 && Self.work(of: kernel, sizes) > limit
        self.sizes = sizes
        let optional = K().signature.arguments.filter(\.isOptional).map(\.name)
        absent = Bool.random(using: &generator) ? Set(optional) : []
        overwrites = Overwriting(rawValue: Int.random(in: 0...3, using: &generator))
        seed = generator.next()
    }

    private static func work<K: Kernel<Float>>(of _: K.Type, _ sizes: [String: Int]) -> Int {
        let call = K(sizes: sizes) { _ in nil }
        return max(call.cost.operations, call.signature.arguments.reduce(0) { $0 + $1.count })
    }

    /// The call as a case, with the truth by a reference in double.
    func kernelCase<K: Kernel<Float>>(of kernel: K.Type, by reference: KernelSet<Double>) -> KernelCase {
        let known = left(to: K.InDouble.self, by: reference)
        let values = values(of: K.InDouble.self, known)
        let patterns = values.numbers.keys.filter { known[$0] == nil }.sorted().map { "\($0) \(pattern($0))" }
        return KernelCase(
            kernel, name: ([K.description(of: sizes)] + patterns).joined(separator: ", "), values.converted(),
            truth: values.results(of: K.InDouble.self, by: reference))
    }

    /// What `kernel` takes, given what is known by name.
    private func values<K: Kernel<Double>>(of _: K.Type, _ known: [String: [Double]]) -> CallValues<Double> {
        let signature = K(sizes: sizes, overwrites: overwrites) { _ in nil }.signature
        var values = CallValues<Double>(sizes: signature.sizesByName, overwrites: overwrites, absent: absent)
        for argument in signature.arguments where argument.role != .output && !absent.contains(argument.name) {
            switch argument.elements {
            case .tokens(let bound): values.tokens[argument.name] = tokens(argument, below: bound)
            case .numbers(let distribution):
                values.numbers[argument.name] = known[argument.name] ?? numbers(argument, distribution)
            }
        }
        return values
    }

    /// What the forward calls of a backward kernel leave for it, rounded to float32.
    private func left<K: Kernel<Double>>(to kernel: K.Type, by reference: KernelSet<Double>) -> [String: [Double]] {
        guard let backward = kernel as? any (BackwardKernel & Kernel<Double>).Type else { return [:] }
        return left(byForwardOf: backward, by: reference)
    }

    private func left<K: BackwardKernel>(
        byForwardOf _: K.Type, by reference: KernelSet<Double>
    ) -> [String: [Double]] where K.Scalar == Double {
        func results<F: Kernel<Double>>(of kernel: F.Type, _ known: [String: [Double]]) -> [String: [Double]] {
            values(of: kernel, known).results(of: kernel, by: reference).mapValues { $0.map { Double(Float($0)) } }
        }
        return K.derivative.forward.reduce(into: [:]) { known, kernel in
            known.merge(results(of: kernel, known)) { $1 }
        }
    }

    // MARK: - Numbers

    private func pattern(_ name: String) -> Pattern {
        var generator = SplitMix64(state: UInt64(hashing: name) ^ seed)
        return Pattern.allCases.randomElement(using: &generator) ?? .drawn
    }

    private func tokens(_ argument: Argument, below bound: Int) -> [Int32] {
        let draw = Draw(argument.name, seed: seed)
        // All alike: one sum takes all.
        let isAlike = seed.isMultiple(of: 2)
        return (0..<argument.count).map { draw.token(isAlike ? 0 : $0, below: bound) }
    }

    private func numbers(_ argument: Argument, _ distribution: Distribution) -> [Double] {
        let (draw, count) = (Draw(argument.name, seed: seed), argument.count)
        var generator = SplitMix64(state: UInt64(hashing: argument.name) &+ seed)
        let magnitude = Float(sign: .plus, exponent: Int.random(in: -10...2, using: &generator), significand: 1)
        // Not so large that scores of attention err by more than exp can take: errors are derived to first order.
        let ratio = Float(sign: .plus, exponent: Int.random(in: 2...7, using: &generator), significand: 1)
        let (period, one) = (Int.random(in: 2...64, using: &generator), draw.number(count, distribution))
        let pattern = pattern(argument.name)
        return (0..<count).map { i in
            let x = draw.number(i, distribution)
            let sign: Float = i.isMultiple(of: 2) ? 1 : -1
            let number =
                switch pattern {
                case .drawn: x
                case .alike: magnitude * one
                case .alternating: magnitude * sign * one
                case .cancelling: x + sign * ratio * one
                case .oneLarge: i % period == 0 ? x : x / ratio
                case .abovePowers:
                    (1 + Float(i % 4) * .ulpOfOne) * magnitude * (x < 0 ? -1 : 1)
                case .rising: magnitude * one * Float(i + 1) / Float(count)
                case .falling: magnitude * one * Float(count - i) / Float(count)
                }
            return Double(distribution.allowed(number))
        }
    }
}

extension Distribution {
    /// The number nearest to that which an argument so drawn may be.
    fileprivate func allowed(_ number: Float) -> Float {
        switch self {
        case .signed: number
        case .positive: max(abs(number), 0x1p-100)
        case .nearOne: min(max(abs(number), 0.5), 1.5)
        }
    }
}
