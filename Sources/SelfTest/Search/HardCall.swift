import Accuracy
import Kernels
import Tensors

/// A call whose arguments are hard on arithmetic: one size is long, the others are short, and numbers cancel, agree or
/// differ in magnitude. What a backward kernel gets of its forward calls follows from them, as in a drawn call.
struct HardCall: Sendable, ElementSource {
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

    private let call: DrawnCall

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
        } while most > 4 && K.work(at: sizes) > limit
        let optional = K().signature.arguments.filter(\.isOptional).map(\.name)
        let absent = Bool.random(using: &generator) ? Set(optional) : []
        let overwrites = Overwriting(rawValue: Int.random(in: 0...3, using: &generator))
        call = DrawnCall(sizes: sizes, absent: absent, overwrites: overwrites, seed: generator.next())
    }

    /// The call as a case, with the truth by a reference in double.
    func kernelCase<K: Kernel<Float>>(of kernel: K.Type, by reference: KernelSet<Double>) -> KernelCase {
        let derived = DrawnCall.derived(of: K.InDouble.self)
        let patterns = call.signature(kernel).arguments.filter { argument in
            guard case .numbers = argument.elements, argument.role != .output else { return false }
            return !call.absent.contains(argument.name) && !derived.contains(argument.name)
        }.map(\.name).sorted().map { "\($0) \(pattern($0))" }
        let name = ([K.words(forSizes: call.sizes)] + patterns).joined(separator: ", ")
        return KernelCase(kernel, name: name, call, by: reference, from: self)
    }

    // MARK: - Numbers

    private func pattern(_ name: String) -> Pattern {
        var generator = SplitMix64(state: UInt64(hashing: name) ^ call.seed)
        return Pattern.allCases.randomElement(using: &generator) ?? .drawn
    }

    func tokens(_ argument: Argument, below bound: Int, at indices: Positions) -> [Int32] {
        // All alike: one sum takes all.
        let isAlike = call.seed.isMultiple(of: 2)
        return call.tokens(argument, below: bound, at: isAlike ? Positions(indices.map { _ in 0 }) : indices)
    }

    func numbers(_ argument: Argument, _ distribution: Distribution, at indices: Positions) -> [Float] {
        let (draw, count) = (Draw(argument.name, seed: call.seed), argument.count)
        var generator = SplitMix64(state: UInt64(hashing: argument.name) &+ call.seed)
        let magnitude = Float(sign: .plus, exponent: Int.random(in: -10...2, using: &generator), significand: 1)
        // Not so large that scores of attention err by more than exp can take: errors are derived to first order.
        let ratio = Float(sign: .plus, exponent: Int.random(in: 2...7, using: &generator), significand: 1)
        let (period, one) = (Int.random(in: 2...64, using: &generator), draw.number(count, distribution))
        let pattern = pattern(argument.name)
        return indices.map { i in
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
            return distribution.allowed(number)
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
