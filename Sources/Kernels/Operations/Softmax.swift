import Foundation
import Tensors

/// Turns each row of logits into probabilities; the vocabulary's padding gets none.
///
///     probs[v] = exp(logits[v] − max) / Σ_{w<V} exp(logits[w] − max) for v < V,   0 for V ≤ v < Vp
///
/// - Shapes: probs, logits (B, T, Vp). Padded logits may hold anything and are not read into the result.
///
/// Source: Blanchard, Higham and Higham 2021, Accurately computing the log-sum-exp and softmax functions; llm.c
/// `softmax_forward`.
public enum Softmax {
    /// probs = softmax(logits) over the first V of Vp columns
    public struct Forward<Scalar: KernelScalar>: Kernel {
        public typealias InDouble = Forward<Double>
        public static var name: KernelName { KernelName("softmax", .forward) }

        public var probs: MutableView<Scalar> = .empty
        public var logits: View<Scalar> = .empty
        public var (B, T, V, Vp) = (0, 0, 0, 0)

        public init() {}

        public init(probs: MutableView<Scalar>, logits: View<Scalar>, B: Int, T: Int, V: Int, Vp: Int) {
            (self.probs, self.logits) = (probs, logits)
            (self.B, self.T, self.V, self.Vp) = (B, T, V, Vp)
        }

        public mutating func bind(_ b: inout Binder<Scalar>) {
            let (B, T, V) = (b.size("B", &B), b.size("T", &T), b.size("V", &V))
            let Vp = b.size("Vp", &Vp, atLeast: V)
            b.output(
                "probs", &probs, [B, T, Vp], roundings: V.extent + 2 * Int(RoundingError.elementary) + 6,
                independent: [B, T])
            b.input("logits", &logits, [B, T, Vp], .wide)
        }

        public var cost: Cost { Cost(operations: 5 * B * T * V, elements: 2 * B * T * Vp) }
    }
}

extension Softmax.Forward: KernelInDouble where Scalar == Double {
    /// With d = max − logits and E = ``RoundingError/elementary``, exp(−d) errs by a relative 2·d + E: d rounds, and once
    /// more where it is brought to base 2. The sum of all adds V − 1, the division 2. Results of exp below 2^-126 may be
    /// flushed to 0.
    ///
    ///     ε probs = p·(2·d + E + Σ_j p_j·(2·d_j + E) + V + 1) for v < V,   0 beyond
    public func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        for row in 0..<B * T {
            let sum = ExponentialSum(logits, row * Vp..<row * Vp + V, by: law)
            for i in row * Vp..<(row + 1) * Vp {
                ε.probs[i] =
                    i < row * Vp + V
                    ? max(
                        probs[i] * (sum.relativeError(ofTerm: logits[i]) + sum.relativeError + 2), RoundingError.flushed
                    )
                    : 0
            }
        }
    }
}

/// A row's Σ exp(logits − max), and the relative errors of its terms and of itself.
struct ExponentialSum {
    let maximum: Double
    /// Of the sum: each term's, and one addition less than there are terms.
    private(set) var relativeError = 0.0

    init(_ logits: View<Double>, _ row: Range<Int>, by law: ErrorLaw) {
        maximum = row.reduce(-.infinity) { max($0, logits[$1]) }
        let additions = row.count - 1
        var (sum, terms) = (0.0, 0.0)
        for i in row {
            let exponential = exp(logits[i] - maximum)
            sum += exponential
            terms += law.term(exponential, of: additions)
            relativeError += exponential * relativeError(ofTerm: logits[i])
        }
        relativeError = (relativeError + law.sum(terms, of: additions, total: sum)) / sum
    }

    /// Of exp(logit − max): 2·(max − logit) + E.
    func relativeError(ofTerm logit: Double) -> Double { 2 * (maximum - logit) + RoundingError.elementary }
}
