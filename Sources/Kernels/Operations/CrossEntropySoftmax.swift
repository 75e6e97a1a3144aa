import Tensors

/// The gradient of the loss through cross-entropy and softmax at once.
///
///     dlogits[v] += (probs[v] − [v = target]) · dlosses for v < V
///
/// - Shapes: dlogits, probs (B, T, Vp); dlosses, targets (B, T). Padded columns of dlogits are left as they are.
///
/// Source: Bridle 1990, Probabilistic interpretation of feedforward classification network outputs; llm.c
/// `crossentropy_softmax_backward`.
public enum CrossEntropySoftmax {
    /// dlogits += (probs − onehot(targets)) · dlosses
    public struct Backward<Scalar: KernelScalar>: BackwardKernel {
        public typealias InDouble = Backward<Double>
        public static var name: KernelName { KernelName("crossentropy_softmax", .backward) }
        public static var derivative: Derivative<Scalar> {
            Derivative(
                of: [Softmax.Forward<Scalar>.self, CrossEntropy.Forward<Scalar>.self],
                roundingAs: Classifier.Forward<Scalar>.self)
        }

        public var dlogits: MutableView<Scalar> = .empty
        public var dlosses: View<Scalar> = .empty
        public var probs: View<Scalar> = .empty
        public var targets: View<Int32> = .empty
        public var (B, T, V, Vp) = (0, 0, 0, 0)
        public var overwrites: Overwriting = []

        public init() {}

        public init(
            dlogits: MutableView<Scalar>, dlosses: View<Scalar>, probs: View<Scalar>, targets: View<Int32>,
            B: Int, T: Int, V: Int, Vp: Int, overwrites: Overwriting = []
        ) {
            (self.dlogits, self.dlosses, self.probs, self.targets) = (dlogits, dlosses, probs, targets)
            (self.B, self.T, self.V, self.Vp, self.overwrites) = (B, T, V, Vp, overwrites)
        }

        public mutating func bind(_ b: inout Binder<Scalar>) {
            b.overwriting(&overwrites)
            let (B, T, V) = (b.size("B", &B), b.size("T", &T), b.size("V", &V))
            let Vp = b.size("Vp", &Vp, atLeast: V)
            b.gradient("dlogits", &dlogits, [B, T, Vp], of: .activations, roundings: 4, independent: [B, T])
            b.input("dlosses", &dlosses, [B, T], .wide)
            b.input("probs", &probs, [B, T, Vp], .positive(0x1p-15))
            b.tokens("targets", &targets, [B, T], below: V)
        }

        public var cost: Cost { Cost(operations: 3 * B * T * V, elements: 3 * B * T * Vp) }
    }
}

extension CrossEntropySoftmax.Backward: KernelInDouble where Scalar == Double {
    /// A subtraction, a product and the accumulation. At the target a kernel may add p·dloss and subtract dloss one after
    /// the other, which costs what stands in brackets more.
    ///
    ///     ε dlogits = 2·p·|dloss| + |dlogits| + [v = target]·(2·|dloss| + |initial|) for v < V,   0 beyond
    public func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        for i in 0..<dlogits.count {
            let (row, v) = (i / Vp, i % Vp)
            let dloss = abs(dlosses[row])
            let atTarget = v == Int(targets[row]) ? 2 * dloss + abs(start.dlogits[i]) : 0
            ε.dlogits[i] = v < V ? 2 * probs[i] * dloss + abs(dlogits[i]) + atTarget : 0
        }
    }
}
