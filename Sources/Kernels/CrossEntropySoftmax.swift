import Tensors

/// The gradient of the loss through cross-entropy and softmax at once.
///
///     dlogits[v] += (probs[v] − [v = target]) · dlosses for v < V
///
/// - Shapes: dlogits, probs (B, T, Vp); dlosses, targets (B, T). Padded columns of dlogits are left as they are.
/// - Rounding: a subtraction, a product and the accumulation: ε = 2·p·|dloss| + |result|. At the target a kernel may add
///   p·dloss and subtract dloss one after the other, which costs 2·|dloss| + |initial| more.
///
/// Source: Bridle 1990, Probabilistic interpretation of feedforward classification network outputs; llm.c
/// `crossentropy_softmax_backward`.
public enum CrossEntropySoftmax {
    /// dlogits += (probs − onehot(targets)) · dlosses
    public struct Backward<Scalar: KernelScalar>: Kernel {
        public static var name: KernelName { KernelName("crossentropy_softmax", .backward) }

        public var dlogits: MutableView<Scalar> = .empty
        public var dlosses: View<Scalar> = .empty
        public var probs: View<Scalar> = .empty
        public var targets: View<Int32> = .empty
        public var B = 0
        public var T = 0
        public var V = 0
        public var Vp = 0

        public init() {}

        public init(
            dlogits: MutableView<Scalar>, dlosses: View<Scalar>, probs: View<Scalar>, targets: View<Int32>,
            B: Int, T: Int, V: Int, Vp: Int
        ) {
            self.dlogits = dlogits
            self.dlosses = dlosses
            self.probs = probs
            self.targets = targets
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
            visitor.accumulator("dlogits", &dlogits, B, T, Vp, roundings: 4)
            visitor.input("dlosses", &dlosses, B, T)
            visitor.input("probs", &probs, B, T, Vp)
            visitor.tokens("targets", below: V, &targets, B, T)
        }

        public var cost: Cost { Cost(operations: 3 * B * T * V, elements: 3 * B * T * Vp) }
    }
}
