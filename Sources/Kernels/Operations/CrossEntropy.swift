import Tensors

/// The loss of each position: the negative logarithm of its target's probability.
///
///     losses[b,t] = −log probs[b,t,targets[b,t]]
///
/// - Shapes: losses (B, T); probs (B, T, Vp); targets (B, T), each below Vp.
///
/// Source: `torch.nn.functional.nll_loss`; llm.c `crossentropy_forward`.
public enum CrossEntropy {
    /// losses = −log probs[targets]
    public struct Forward<Scalar: KernelScalar>: Kernel {
        public typealias InDouble = Forward<Double>
        public static var name: KernelName { KernelName("crossentropy", .forward) }

        public var losses: MutableView<Scalar> = .empty
        public var probs: View<Scalar> = .empty
        public var targets: View<Int32> = .empty
        public var (B, T, Vp) = (0, 0, 0)

        public init() {}

        public init(losses: MutableView<Scalar>, probs: View<Scalar>, targets: View<Int32>, B: Int, T: Int, Vp: Int) {
            (self.losses, self.probs, self.targets) = (losses, probs, targets)
            (self.B, self.T, self.Vp) = (B, T, Vp)
        }

        public mutating func bind(_ b: inout Binder<Scalar>) {
            let (B, T, Vp) = (b.size("B", &B), b.size("T", &T), b.size("Vp", &Vp))
            b.output(
                "losses", &losses, [B, T], roundings: Int(RoundingError.elementary) + 1, independent: [B, T])
            b.input("probs", &probs, [B, T, Vp], .positive(0x1p-15))
            b.tokens("targets", &targets, [B, T], below: Vp)
        }

        public var cost: Cost { Cost(operations: B * T, elements: 3 * B * T) }
    }
}

extension CrossEntropy.Forward: KernelInDouble where Scalar == Double {
    /// One logarithm, with E = ``RoundingError/elementary``, and one rounding for another base. A probability of 0 costs
    /// +∞, one of 1 nothing.
    ///
    ///     ε losses = (E + 1)·|losses|
    public func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        for i in 0..<B * T { ε.losses[i] = losses[i].isFinite ? (RoundingError.elementary + 1) * abs(losses[i]) : 0 }
    }
}
