import Tensors

/// The loss of each position: the negative logarithm of its target's probability.
///
///     losses[b,t] = −log probs[b,t,targets[b,t]]
///
/// - Shapes: losses (B, T); probs (B, T, Vp); targets (B, T), each below Vp.
/// - Rounding: one logarithm, with E = ``transcendentalRoundings``, and one for another base: ε = (E + 1)·|loss|. A
///   probability of 0 costs +∞, one of 1 nothing.
///
/// Source: `torch.nn.functional.nll_loss`; llm.c `crossentropy_forward`.
public enum CrossEntropy {
    /// losses = −log probs[targets]
    public struct Forward<Scalar: KernelScalar>: Kernel {
        public static var name: KernelName { KernelName("crossentropy", .forward) }

        public var losses: MutableView<Scalar> = .empty
        public var probs: View<Scalar> = .empty
        public var targets: View<Int32> = .empty
        public var B = 0
        public var T = 0
        public var Vp = 0

        public init() {}

        public init(losses: MutableView<Scalar>, probs: View<Scalar>, targets: View<Int32>, B: Int, T: Int, Vp: Int) {
            self.losses = losses
            self.probs = probs
            self.targets = targets
            self.B = B
            self.T = T
            self.Vp = Vp
        }

        public mutating func visit(_ visitor: inout some ArgumentVisitor<Scalar>) {
            visitor.size("B", &B)
            visitor.size("T", &T)
            visitor.size("Vp", &Vp)
            visitor.output("losses", &losses, B, T, roundings: transcendentalRoundings + 1)
            visitor.input("probs", &probs, B, T, Vp)
            visitor.tokens("targets", below: Vp, &targets, B, T)
        }

        public var cost: Cost { Cost(operations: B * T, elements: 3 * B * T) }
    }
}
