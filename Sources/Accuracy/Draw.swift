import Kernels
import Tensors

/// The numbers that fill an argument: the same in every worker, in whatever language, and each to be had by its index.
///
/// A worker in another language draws them the same way (`scripts/torch_worker.py`); a change is a change of the
/// protocol. Every number is exact in float32.
package struct Draw: Sendable {
    /// How an argument's numbers are distributed.
    private enum Shape {
        /// Uniform in ±scale/2, times uniform in 0.5 to 1.5: a product, so that sums of such numbers round.
        case signed(Float)
        /// Uniform in 0 to scale, 0 excluded.
        case positive(Float)
        /// Uniform in 0.5 to 1.5.
        case nearOne
        /// A causal matrix of T columns whose rows sum to about 1.
        case causal(Int)
    }

    private let state: UInt64
    private let shape: Shape

    /// The numbers of `argument` in the run with `seed`.
    package init(_ argument: Argument, seed: UInt64) {
        let shape: Shape =
            switch argument.name {
            case "rstd": .nearOne
            case "att": .causal(argument.shape[argument.shape.count - 1])
            case "probs": .positive(0x1p-15)
            case "v": .positive(0x1p-10)
            case "m", "grads": .signed(0x1p-5)
            default: .signed(4)
            }
        self.init(argument.name, shape, seed: seed)
    }

    /// The numbers of an argument of tokens in the run with `seed`.
    package static func tokens(_ name: String, seed: UInt64) -> Draw { Draw(name, .signed(4), seed: seed) }

    /// The tokens that a model trains on in the run with `seed`.
    package static func tokens(seed: UInt64) -> Draw { tokens("tokens", seed: seed) }

    private init(_ name: String, _ shape: Shape, seed: UInt64) {
        // Every argument has a stream of its own.
        let hash = UInt64(hashing: name)
        state = hash ^ seed
        self.shape = shape
    }

    /// The number at the flat `index`.
    package subscript(index: Int) -> Float {
        var generator = generator(at: index)
        let bits = generator.next()
        let uniform = Float(bits >> 40) * 0x1p-24
        switch shape {
        case .signed(let scale): return (uniform - 0.5) * scale * (0.5 + Float(bits & 0xff_ffff) * 0x1p-24)
        case .positive(let scale): return (1 - uniform) * scale
        case .nearOne: return 0.5 + uniform
        case .causal(let T):
            let t = index / T % T
            return index % T <= t ? uniform * (2 / Float(t + 1)) : 0
        }
    }

    /// The token at `index`, below `bound`.
    package func token(_ index: Int, below bound: Int) -> Int32 {
        var generator = generator(at: index)
        return Int32((generator.next() >> 32) % UInt64(bound))
    }

    private func generator(at index: Int) -> SplitMix64 {
        SplitMix64(state: state &+ UInt64(index) &* 0x9e37_79b9_7f4a_7c15)
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
