import Tensors

/// Turns each row of logits into probabilities; the vocabulary's padding gets none.
///
///     probs[v] = exp(logits[v] − max) / Σ_{w<V} exp(logits[w] − max) for v < V,   0 for V ≤ v < Vp
///
/// - Shapes: probs, logits (B, T, Vp). Padded logits may hold anything and are not read into the result.
/// - Rounding: with d = max − logit, and E = ``transcendentalRoundings``, exp(−d) errs by a relative 2·d + E: d rounds,
///   and once more where it is brought to base 2. The sum of all adds V − 1, the division 2:
///   ε = p·(2·d + E + Σ_j p_j·(2·d_j + E) + V + 1). Results of exp below 2^-126 may be flushed to 0: c·u·gauge ≥ 2^-126.
///
/// Source: Blanchard, Higham and Higham 2021, Accurately computing the log-sum-exp and softmax functions; llm.c
/// `softmax_forward`.
public enum Softmax {
    /// probs = softmax(logits) over the first V of Vp columns
    public struct Forward<Scalar: KernelScalar>: Kernel {
        public static var name: KernelName { KernelName("softmax", .forward) }

        public var probs: MutableView<Scalar> = .empty
        public var logits: View<Scalar> = .empty
        public var B = 0
        public var T = 0
        public var V = 0
        public var Vp = 0

        public init() {}

        public init(probs: MutableView<Scalar>, logits: View<Scalar>, B: Int, T: Int, V: Int, Vp: Int) {
            self.probs = probs
            self.logits = logits
            self.B = B
            self.T = T
            self.V = V
            self.Vp = Vp
        }

        public mutating func visit(_ visitor: inout some ArgumentVisitor<Scalar>) {
            visitor.size("B", &B)
            visitor.size("T", &T)
            visitor.size("V", &V)
            visitor.size("Vp", &Vp)
            visitor.require(V <= Vp, "V is at most Vp")
            visitor.output("probs", &probs, B, T, Vp, roundings: V + 2 * transcendentalRoundings + 6)
            visitor.input("logits", &logits, B, T, Vp)
        }

        public var cost: Cost { Cost(operations: 5 * B * T * V, elements: 2 * B * T * Vp) }
    }
}
