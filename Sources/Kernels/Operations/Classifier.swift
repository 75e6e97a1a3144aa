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
///
/// Source: Blanchard, Higham and Higham 2021, Accurately computing the log-sum-exp and softmax functions; llm.c
/// `fused_classifier`.
public enum Classifier {
    /// losses = lse − logits[targets]
    public struct Forward<Scalar: KernelScalar>: FusedKernel {
        public typealias InDouble = Forward<Double>
        public static var name: KernelName { KernelName("classifier", .forward) }
        public static var parts: [any Kernel<Scalar>.Type] {
            [Softmax.Forward<Scalar>.self, CrossEntropy.Forward<Scalar>.self]
        }

        public var losses: MutableView<Scalar> = .empty
        public var lse: MutableView<Scalar> = .empty
        public var logits: View<Scalar> = .empty
        public var targets: View<Int32> = .empty
        public var (B, T, V, Vp) = (0, 0, 0, 0)

        public init() {}

        public init(
            losses: MutableView<Scalar>, lse: MutableView<Scalar>, logits: View<Scalar>, targets: View<Int32>,
            B: Int, T: Int, V: Int, Vp: Int
        ) {
            (self.losses, self.lse, self.logits, self.targets) = (losses, lse, logits, targets)
            (self.B, self.T, self.V, self.Vp) = (B, T, V, Vp)
        }

        public mutating func bind(_ b: inout Binder<Scalar>) {
            let (B, T, V) = (b.size("B", &B), b.size("T", &T), b.size("V", &V))
            let Vp = b.size("Vp", &Vp, atLeast: V)
            let roundings = V.extent + 3 * Int(RoundingError.elementary) + 8
            b.output("losses", &losses, [B, T], roundings: roundings, independent: [B, T])
            b.output("lse", &lse, [B, T], roundings: roundings, independent: [B, T])
            b.input("logits", &logits, [B, T, Vp], .wide)
            b.tokens("targets", &targets, [B, T], below: V)
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
    public struct Backward<Scalar: KernelScalar>: FusedKernel, BackwardKernel {
        public typealias InDouble = Backward<Double>
        public static var name: KernelName { KernelName("classifier", .backward) }
        public static var derivative: Derivative<Scalar> { Derivative(of: Forward<Scalar>.self) }
        public static var parts: [any Kernel<Scalar>.Type] {
            [Softmax.Forward<Scalar>.self, CrossEntropySoftmax.Backward<Scalar>.self]
        }

        public var dlogits: MutableView<Scalar> = .empty
        public var dlosses: View<Scalar> = .empty
        public var logits: View<Scalar> = .empty
        public var lse: View<Scalar> = .empty
        public var targets: View<Int32> = .empty
        public var (B, T, V, Vp) = (0, 0, 0, 0)

        public init() {}

        public init(
            dlogits: MutableView<Scalar>, dlosses: View<Scalar>, logits: View<Scalar>, lse: View<Scalar>,
            targets: View<Int32>, B: Int, T: Int, V: Int, Vp: Int
        ) {
            (self.dlogits, self.dlosses) = (dlogits, dlosses)
            (self.logits, self.lse, self.targets) = (logits, lse, targets)
            (self.B, self.T, self.V, self.Vp) = (B, T, V, Vp)
        }

        public mutating func bind(_ b: inout Binder<Scalar>) {
            let (B, T, V) = (b.size("B", &B), b.size("T", &T), b.size("V", &V))
            let Vp = b.size("Vp", &Vp, atLeast: V)
            b.output(
                "dlogits", &dlogits, [B, T, Vp], roundings: V.extent + 3 * Int(RoundingError.elementary) + 10,
                independent: [B, T])
            b.input("dlosses", &dlosses, [B, T], .wide)
            b.input("logits", &logits, [B, T, Vp], .wide)
            b.input("lse", &lse, [B, T], .wide)
            b.tokens("targets", &targets, [B, T], below: V)
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

extension Classifier.Forward: KernelInDouble where Scalar == Double {
    /// With d = max − logits, p the probabilities and E = ``RoundingError/elementary``, exp(−d) errs by a relative
    /// 2·d + E and the sum of all by s. lse comes by way of the sum or of the largest probability, losses by way of any
    /// of the differences, with l = logits[target]:
    ///
    ///     s = Σ p·(2·d + E) + V − 1
    ///
    ///     ε lse    = s + 2 + E·(lse − max + 1) + |max| + |lse|
    ///     ε losses = ε lse + |l| + 2·(max − l) + (E + 1)·losses
    public func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        let E = RoundingError.elementary
        for row in 0..<B * T {
            let (sum, l) = (ExponentialSum(logits, row * Vp..<row * Vp + V, by: law), logits[row * Vp + Int(targets[row])])
            ε.lse[row] =
                sum.relativeError + 2 + E * (lse[row] - sum.maximum + 1) + abs(sum.maximum) + abs(lse[row])
            ε.losses[row] = ε.lse[row] + abs(l) + 2 * (sum.maximum - l) + (E + 1) * losses[row]
        }
    }
}

extension Classifier.Backward: KernelInDouble where Scalar == Double {
    /// lse is taken as it is. With d and s as in forward, a probability errs by a relative y, by exp or by division.
    /// Results of exp below 2^-126 may be flushed to 0.
    ///
    ///     y = |logits| + |lse| + 2·|logits − lse| + 2·d + E + s + 2
    ///
    ///     ε dlogits = |dlosses|·(p·(y + 3) + 3·[v = target]) for v < V,   0 beyond
    public func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        for row in 0..<B * T {
            let (sum, lse) = (ExponentialSum(logits, row * Vp..<row * Vp + V, by: law), lse[row])
            for v in 0..<Vp {
                let logit = logits[row * Vp + v]
                let y =
                    abs(logit) + abs(lse) + 2 * abs(logit - lse) + sum.relativeError(ofTerm: logit)
                    + sum.relativeError + 2
                let byProbability = max(exp(logit - lse) * (y + 3), RoundingError.flushed)
                ε.dlogits[row * Vp + v] =
                    v < V ? abs(dlosses[row]) * (byProbability + (v == Int(targets[row]) ? 3 : 0)) : 0
            }
        }
    }
}
