import Foundation
import Tensors

/// ``Softmax`` and ``CrossEntropy`` at once, which keep no probabilities: backward computes them again.
///
///     lse = log Σ_{v<V} exp(logits[v]),   losses = lse − logits[target]
///     dlogits[v] = (exp(logits[v] − lse) − [v = target]) · dlosses for v < V,   0 for V ≤ v < Vp
///
/// Backward writes dlogits, which may lie where logits do. Composed of plain kernels, a target whose probability vanishes
/// in float32 costs +∞.
///
/// - Shapes: logits, dlogits (B, T, Vp); losses, dlosses, lse, targets (B, T). Padded logits may hold anything.
/// - Rounding: with E = ``transcendentalRoundings``, d = max − logits and p the probabilities, exp(−d) errs by a relative
///   x = 2·d + E and the sum of all by s = Σ p·x + V − 1. lse has ε = s + 2 + E·(lse − max + 1) + |max| + |lse|, by way of the
///   sum or of the largest probability, and losses have ε + |l| + 2·(max − l) + (E + 1)·loss, l = logits[target], by way of
///   any of the differences. Backward takes lse as it is: a probability errs by a relative
///   y = |logits| + |lse| + 2·|logits − lse| + x + s + 2, by exp or by division, and dlogits by
///   |dlosses|·(p·(y + 3) + 3·[v = target]). Results of exp below 2^-126 may be flushed to 0.
///
/// Source: Blanchard, Higham and Higham 2021, Accurately computing the log-sum-exp and softmax functions; llm.c
/// `fused_classifier`.
public enum Classifier {
    /// losses = lse − logits[targets]
    public struct Forward<Scalar: KernelScalar>: FusedKernel {
        public static var name: KernelName { KernelName("classifier", .forward) }

        public var losses: MutableView<Scalar> = .empty
        public var lse: MutableView<Scalar> = .empty
        public var logits: View<Scalar> = .empty
        public var targets: View<Int32> = .empty
        public var B = 0
        public var T = 0
        public var V = 0
        public var Vp = 0

        public init() {}

        public init(
            losses: MutableView<Scalar>, lse: MutableView<Scalar>, logits: View<Scalar>, targets: View<Int32>,
            B: Int, T: Int, V: Int, Vp: Int
        ) {
            self.losses = losses
            self.lse = lse
            self.logits = logits
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
            visitor.output("losses", &losses, B, T, roundings: V + 3 * transcendentalRoundings + 8)
            visitor.output("lse", &lse, B, T, roundings: V + 3 * transcendentalRoundings + 8)
            visitor.input("logits", &logits, B, T, Vp)
            visitor.tokens("targets", below: V, &targets, B, T)
        }

        public var cost: Cost { Cost(operations: 4 * B * T * V, elements: B * T * Vp + 3 * B * T) }

        public func compose(of set: KernelSet<Scalar>) {
            let probs = Tensor<Scalar>(repeating: 0, count: B * T * Vp)
            set.run(Softmax.Forward(probs: probs.view, logits: logits, B: B, T: T, V: V, Vp: Vp))
            set.run(CrossEntropy.Forward(losses: losses, probs: View(probs.view), targets: targets, B: B, T: T, Vp: Vp))
            // The most probable token of a row gives its sum away: p = exp(logit − lse).
            for row in 0..<B * T {
                let entries = row * Vp..<row * Vp + V
                let best = entries.reduce(entries.lowerBound) { probs.view[$1] > probs.view[$0] ? $1 : $0 }
                lse[row] = Scalar(Double(logits[best]) - log(Double(probs.view[best])))
            }
        }
    }

    /// dlogits = (exp(logits − lse) − onehot(targets)) · dlosses
    public struct Backward<Scalar: KernelScalar>: FusedKernel {
        public static var name: KernelName { KernelName("classifier", .backward) }

        public var dlogits: MutableView<Scalar> = .empty
        public var dlosses: View<Scalar> = .empty
        public var logits: View<Scalar> = .empty
        public var lse: View<Scalar> = .empty
        public var targets: View<Int32> = .empty
        public var B = 0
        public var T = 0
        public var V = 0
        public var Vp = 0

        public init() {}

        public init(
            dlogits: MutableView<Scalar>, dlosses: View<Scalar>, logits: View<Scalar>, lse: View<Scalar>,
            targets: View<Int32>, B: Int, T: Int, V: Int, Vp: Int
        ) {
            self.dlogits = dlogits
            self.dlosses = dlosses
            self.logits = logits
            self.lse = lse
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
            visitor.output("dlogits", &dlogits, B, T, Vp, roundings: V + 3 * transcendentalRoundings + 10)
            visitor.input("dlosses", &dlosses, B, T)
            visitor.input("logits", &logits, B, T, Vp)
            visitor.input("lse", &lse, B, T)
            visitor.tokens("targets", below: V, &targets, B, T)
        }

        public var cost: Cost { Cost(operations: 4 * B * T * V, elements: 2 * B * T * Vp + 3 * B * T) }

        public func compose(of set: KernelSet<Scalar>) {
            let probs = Tensor<Scalar>(repeating: 0, count: B * T * Vp)
            set.run(Softmax.Forward(probs: probs.view, logits: logits, B: B, T: T, V: V, Vp: Vp))
            dlogits.fill(0)
            set.run(
                CrossEntropySoftmax.Backward(
                    dlogits: dlogits, dlosses: dlosses, probs: View(probs.view), targets: targets,
                    B: B, T: T, V: V, Vp: Vp))
        }
    }
}
