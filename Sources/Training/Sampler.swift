import Foundation
import Kernels
import Tensors

/// Draws the next token from its logits.
///
/// Source: Fan, Lewis and Dauphin 2018, arXiv:1805.04833 (top-k); Holtzman et al. 2020, arXiv:1904.09751 (top-p).
public struct Sampler: Sendable {
    /// The logits are divided by it; 0 always takes the likeliest token.
    public var temperature: Double
    /// Only the k likeliest tokens are drawn; nil for all.
    public var topK: Int?
    /// Only the likeliest tokens that together have this probability are drawn; 1 for all.
    public var topP: Double
    /// Where the draws began.
    public let seed: UInt64
    private var generator: SplitMix64

    /// A sampler whose draws follow from `seed`.
    public init(temperature: Double = 1, topK: Int? = nil, topP: Double = 1, seed: UInt64) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.seed = seed
        generator = SplitMix64(state: seed)
    }

    /// A token for these logits. Of equal logits the lower token counts as likelier.
    public mutating func token(for logits: View<some KernelScalar>) -> Int32 {
        let draw = Double(generator.next() >> 11) * 0x1p-53
        let scores = logits.buffer.map { Double($0) }
        let likeliest = scores.indices.max { scores[$0] < scores[$1] || (scores[$0] == scores[$1] && $0 > $1) } ?? 0
        guard temperature > 0 else { return Int32(likeliest) }

        let weights = scores.map { exp(($0 - scores[likeliest]) / temperature) }
        var candidates = Array(weights.indices)
        if topK != nil || topP < 1 {
            candidates.sort { weights[$0] > weights[$1] || (weights[$0] == weights[$1] && $0 < $1) }
            candidates = Array(candidates.prefix(max(topK ?? candidates.count, 1)))
            if topP < 1 {
                var missing = topP * candidates.reduce(0) { $0 + weights[$1] }
                let enough = candidates.firstIndex { token in
                    missing -= weights[token]
                    return missing <= 0
                }
                if let enough { candidates = Array(candidates[...enough]) }
            }
        }
        var rest = draw * candidates.reduce(0) { $0 + weights[$1] }
        for token in candidates {
            rest -= weights[token]
            if rest < 0 { return Int32(token) }
        }
        return Int32(candidates[candidates.count - 1])
    }
}
