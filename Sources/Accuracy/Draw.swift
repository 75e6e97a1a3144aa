import Foundation
import Kernels
import Tensors

/// The elements that an argument is drawn to have: each to be had by its index, and the same whoever draws them.
public struct Draw: Sendable {
    private let state: UInt64

    /// The elements of the argument of that name in the run with `seed`: every name has a stream of its own.
    public init(_ name: String, seed: UInt64) { state = UInt64(hashing: name) ^ seed }

    /// The number at the flat `index`.
    public func number(_ index: Int, _ distribution: Distribution) -> Float { distribution.number(from: word(index)) }

    /// The token at the flat `index`, below `bound`.
    public func token(_ index: Int, below bound: Int) -> Int32 { Int32((word(index) >> 32) % UInt64(bound)) }

    private func word(_ index: Int) -> UInt64 {
        var generator = SplitMix64(state: state &+ UInt64(index) &* 0x9e37_79b9_7f4a_7c15)
        return generator.next()
    }
}

extension UInt64 {
    /// The hash of a text, the same everywhere and always.
    ///
    /// Source: Fowler, Noll and Vo, FNV-1a.
    public init(hashing text: String) {
        self = text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}

/// A kernel's call whose arguments are drawn as its contract says, or follow from a forward call: sizes, and a seed.
public struct DrawnCall: Sendable, Hashable {
    /// The sizes, by name.
    public var sizes: [String: Int]
    /// The optional arguments that the call goes without.
    public var absent: Set<String>
    /// Which results are written instead of added to.
    public var overwrites: Overwriting
    /// How the numbers lie.
    public var values: ValueClass
    /// Chooses the numbers.
    public var seed: UInt64

    /// A call of those sizes.
    public init(
        sizes: [String: Int], absent: Set<String> = [], overwrites: Overwriting = [], values: ValueClass = .usual,
        seed: UInt64 = 1
    ) {
        (self.sizes, self.absent, self.overwrites) = (sizes, absent, overwrites)
        (self.values, self.seed) = (values, seed)
    }

    /// What the call takes; what follows from a forward call comes from that of `reference`, rounded, and all else from
    /// `source`, which is the draw unless given.
    ///
    /// - Precondition: the contract accepts the sizes.
    public func values<K: KernelInDouble>(
        of kernel: K.Type, by reference: KernelSet<Double>, from source: (any ElementSource)? = nil
    ) -> CallValues<Float> {
        values(of: kernel, at: Selection(), by: reference, from: source)
    }

    /// The same of the part of the call at those positions.
    func values<K: KernelInDouble>(
        of kernel: K.Type, at selection: Selection, by reference: KernelSet<Double>,
        from source: (any ElementSource)? = nil
    ) -> CallValues<Float> {
        let filling = Filling(source: source ?? self, selection: selection, reference: reference)
        return filling.values(of: kernel, filling.left(to: kernel, self), self)
    }

    /// The inputs of a kernel that forward calls leave for it; none for a kernel that is no derivative.
    public static func derived<K: Kernel<Double>>(of kernel: K.Type) -> Set<String> {
        func made<B: BackwardKernel>(_: B.Type) -> [String] where B.Scalar == Double {
            B.derivative.forward.flatMap { $0.init().signature.results.map(\.name) }
        }
        guard let backward = kernel as? any (BackwardKernel & Kernel<Double>).Type else { return [] }
        return Set(made(backward)).intersection(K().signature.inputs.map(\.name))
    }

    /// What the whole call takes.
    public func signature<K: Kernel>(_: K.Type) -> Signature {
        K(sizes: sizes, overwrites: overwrites) { _ in nil }.signature
    }
}

/// Where the elements of arguments come from that follow from no forward call; each is asked for by its flat index in the
/// whole argument.
public protocol ElementSource {
    /// The numbers of an argument that its contract says are drawn so.
    func numbers(_ argument: Argument, _ distribution: Distribution, at indices: Positions) -> [Float]
    /// The tokens of an argument, each below `bound`.
    func tokens(_ argument: Argument, below bound: Int, at indices: Positions) -> [Int32]
}

extension DrawnCall: ElementSource {
    public func numbers(_ argument: Argument, _ distribution: Distribution, at indices: Positions) -> [Float] {
        guard indices.areAll, values == .usual else { return indices.map(number(argument, distribution)) }
        let draw = Draw(argument.name, seed: seed)
        return [Float](unsafeUninitializedCapacity: indices.count) { numbers, count in
            for i in 0..<indices.count { numbers.initializeElement(at: i, to: draw.number(i, distribution)) }
            count = indices.count
        }
    }

    public func tokens(_ argument: Argument, below bound: Int, at indices: Positions) -> [Int32] {
        indices.map(token(argument, below: bound))
    }
}

/// Fills in the arguments of a call, or of the part of it at a selection.
private struct Filling {
    let source: any ElementSource
    let selection: Selection
    let reference: KernelSet<Double>

    /// What `kernel` takes, where what is `known` by name comes from forward calls.
    func values<K: Kernel<Double>>(
        of kernel: K.Type, _ known: [String: [Float]], _ call: DrawnCall
    ) -> CallValues<Float> {
        let whole = call.signature(kernel)
        var values = CallValues<Float>(
            sizes: selection.sizes(of: whole), overwrites: call.overwrites, absent: call.absent)
        for argument in whole.arguments where argument.role != .output && !call.absent.contains(argument.name) {
            let indices = selection.indices(in: argument.axes)
            switch argument.elements {
            case .tokens(let bound):
                values.tokens[argument.name] = source.tokens(argument, below: bound, at: indices)
            case .numbers(let distribution):
                values.numbers[argument.name] =
                    known[argument.name] ?? source.numbers(argument, distribution, at: indices)
            }
        }
        return values
    }

    /// What the forward calls of a backward kernel leave for it, rounded to float32.
    func left<K: KernelInDouble>(to kernel: K.Type, _ call: DrawnCall) -> [String: [Float]] {
        guard let backward = kernel as? any (BackwardKernel & Kernel<Double>).Type else { return [:] }
        return left(byForwardOf: backward, call)
    }

    private func left<K: BackwardKernel>(
        byForwardOf kernel: K.Type, _ call: DrawnCall
    ) -> [String: [Float]] where K.Scalar == Double {
        let derived = DrawnCall.derived(of: kernel)
        guard !derived.isEmpty else { return [:] }
        // A forward call has no gradients to overwrite.
        var call = call
        call.overwrites = []
        let forward = K.derivative.forward
        let wanted = forward.flatMap { call.signature($0).results }.filter { derived.contains($0.name) }
        // A part of a forward call suffices where what is wanted of it can be computed position by position.
        let common = wanted.map(\.independent).reduce(selection.names) { $0.intersection($1) }
        let inner = Filling(source: source, selection: selection.only(common), reference: reference)
        var known: [String: [Double]] = [:]
        for kernel in forward { known.merge(inner.results(of: kernel, known, call)) { $1 } }
        // Of what was computed whole, the selected positions.
        let rest = selection.only(selection.names.subtracting(common))
        return Dictionary(
            uniqueKeysWithValues: wanted.map { argument in
                let numbers = known[argument.name] ?? []
                let indices = rest.indices(in: inner.selection.axes(argument.axes))
                return (argument.name, indices.map { Float(numbers[$0]) })
            })
    }

    private func results<K: Kernel<Double>>(
        of kernel: K.Type, _ known: [String: [Double]], _ call: DrawnCall
    ) -> [String: [Double]] {
        var values = values(of: kernel, known.mapValues { _ in [] }, call).converted(to: Double.self)
        // What one forward call hands to the next is not rounded between them.
        for (name, numbers) in known where values.numbers[name] != nil { values.numbers[name] = numbers }
        return values.results(of: kernel, by: reference)
    }
}

extension DrawnCall {
    /// A call of few elements: sizes drawn by their rules, so that all arguments have at most `elements` together, and
    /// a third of that if the draws allow. A size that is at least another is that one now and then.
    public init<K: Kernel>(small kernel: K.Type, elements: Int, absent: Set<String> = [], seed: UInt64) {
        var generator = SplitMix64(state: UInt64(hashing: K.name.symbol) &+ seed)
        func count(_ sizes: [String: Int]) -> Int {
            (try? K.signature(sizes: sizes))?.arguments.reduce(0) { $0 + $1.count } ?? .max
        }
        // Of several sizes each is smaller.
        let usual = Int(2 * pow(Double(elements), 1 / Double(K().signature.sizes.count)))
        // The least that the contract allows is there in any case.
        var best = K.sizes { max($0.least, $0.divisor) }
        for attempt in 0..<256 where 3 * count(best) < elements {
            let (most, state) = (max(usual * (16 - attempt / 16) / 16, 2), generator.next())
            var sizes = SplitMix64(state: state)
            // Mostly odd sizes, whose products no vector divides.
            let areOdd = Int.random(in: 0..<4, using: &sizes) != 0
            let drawn = K.sizes { size in
                // One of a thing hides much: seldom.
                let isLeast = Int.random(in: 0..<16, using: &sizes) == 0
                let more = isLeast ? 0 : Int.random(in: 1...most, using: &sizes)
                if size.divisor > 1 { return size.divisor * (areOdd ? (1 + more) | 1 : 1 + more) }
                if size.least > 1 && Int.random(in: 0..<4, using: &sizes) == 0 { return size.least }
                return areOdd ? (size.least + more) | 1 : size.least + more
            }
            let (a, b) = (count(best), count(drawn))
            if b <= elements && b > a { best = drawn }
        }
        self.init(sizes: best, absent: absent, seed: seed)
    }
}
