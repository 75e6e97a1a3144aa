import Foundation
import Tensors

/// One step of Adam with decoupled weight decay, in place.
///
///     m = β1·m + (1 − β1)·g,   v = β2·v + (1 − β2)·g²,   g = grads
///     params −= lr·(m̂ / (√v̂ + eps) + wd·params),   m̂ = m/(1 − β1^t),   v̂ = v/(1 − β2^t)
///
/// - Shapes: all (N). t counts steps from 1. The hyperparameters are the float32 numbers given, exactly.
///
/// Source: Loshchilov and Hutter 2019, arXiv:1711.05101; `torch.optim.AdamW`; llm.c `gpt2_update`.
public enum AdamW {
    /// The numbers that govern a step.
    public struct Hyperparameters: Sendable, Hashable {
        /// The learning rate.
        public var learningRate: Float
        /// The decay of the first moment.
        public var beta1: Float
        /// The decay of the second moment.
        public var beta2: Float
        /// Added to the root of the second moment.
        public var eps: Float
        /// The decoupled weight decay.
        public var weightDecay: Float

        /// PyTorch's defaults.
        public init(
            learningRate: Float = 1e-3, beta1: Float = 0.9, beta2: Float = 0.999, eps: Float = 1e-8,
            weightDecay: Float = 0.01
        ) {
            (self.learningRate, self.weightDecay) = (learningRate, weightDecay)
            (self.beta1, self.beta2, self.eps) = (beta1, beta2, eps)
        }
    }

    /// params, m and v after one step
    public struct Update<Scalar: KernelScalar>: Kernel {
        public typealias InDouble = Update<Double>
        public static var name: KernelName { KernelName("adamw", .update) }

        public var params: MutableView<Scalar> = .empty
        public var m: MutableView<Scalar> = .empty
        public var v: MutableView<Scalar> = .empty
        public var grads: View<Scalar> = .empty
        public var hyperparameters = Hyperparameters()
        /// The step, from 1.
        public var t = 0
        public var N = 0

        public init() {}

        public init(
            params: MutableView<Scalar>, m: MutableView<Scalar>, v: MutableView<Scalar>, grads: View<Scalar>,
            hyperparameters: Hyperparameters, t: Int, N: Int
        ) {
            (self.params, self.m, self.v, self.grads) = (params, m, v, grads)
            (self.hyperparameters, self.t, self.N) = (hyperparameters, t, N)
        }

        public mutating func bind(_ b: inout Binder<Scalar>) {
            b.hyperparameter("learning_rate", &hyperparameters.learningRate)
            b.hyperparameter("beta1", &hyperparameters.beta1)
            b.hyperparameter("beta2", &hyperparameters.beta2)
            b.hyperparameter("eps", &hyperparameters.eps)
            b.hyperparameter("weight_decay", &hyperparameters.weightDecay)
            _ = b.size("t", &t)
            let N = b.size("N", &N)
            b.state("params", &params, [N], .wide, roundings: 24, independent: [N])
            b.state("m", &m, [N], .signed(0x1p-5), roundings: 4, independent: [N])
            b.state("v", &v, [N], .positive(0x1p-10), roundings: 5, independent: [N])
            b.input("grads", &grads, [N], .signed(0x1p-5))
        }

        public var cost: Cost { Cost(operations: 14 * N, elements: 7 * N) }
    }
}

extension AdamW.Update: KernelInDouble where Scalar == Double {
    /// With m made by two products or as m + w1·(g − m), 1 − β^t computed in float32 by a power of E =
    /// ``RoundingError/elementary``, which loses k of it to cancellation, the step D and the root's share ρ of it:
    ///
    ///     w = 1 − β,   k = β^t/(1 − β^t),   D = lr·|m̂|/(√v̂ + eps),   ρ = √v̂/(√v̂ + eps)
    ///
    ///     ε m      = |m′| + max(β1, 3·w1)·|m| + 3·w1·|g|
    ///     ε v      =  v′  + max(β2, 3·w2)·v   + 4·w2·g²
    ///     ε params = |params′| + (2 + 3·lr·wd)·|params| + D·(ε_m/|m′| + 12 + E·k1 + ½·ρ·(ε_v/v′ + E·k2))
    ///
    /// where ε_m and ε_v are at least those of 4 and 5 roundings that underflow, and the 12 of the step may underflow before
    /// √v̂ + eps divides it.
    public func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        let E = RoundingError.elementary
        let (lr, decay) = (Double(hyperparameters.learningRate), Double(hyperparameters.weightDecay))
        let (β1, β2) = (Double(hyperparameters.beta1), Double(hyperparameters.beta2))
        let (power1, power2) = (pow(β1, Double(t)), pow(β2, Double(t)))
        let (k1, k2) = (power1 / (1 - power1), power2 / (1 - power2))
        let (w1, w2) = (1 - β1, 1 - β2)
        for i in 0..<N {
            let g = abs(grads[i])
            ε.m[i] = abs(m[i]) + max(β1, 3 * w1) * abs(start.m[i]) + 3 * w1 * g
            ε.v[i] = v[i] + max(β2, 3 * w2) * start.v[i] + 4 * w2 * g * g
            let root = (v[i] / (1 - power2)).squareRoot()
            let denominator = root + Double(hyperparameters.eps)
            let rate = lr / (1 - power1) / denominator
            let (errorM, errorV) = (
                max(ε.m[i], 4 * RoundingError.underflow), max(ε.v[i], 5 * RoundingError.underflow)
            )
            let byRoot = root / denominator * ((v[i] == 0 ? 0 : errorV / v[i]) + E * k2) / 2
            ε.params[i] =
                abs(params[i]) + (2 + 3 * lr * decay) * abs(start.params[i])
                + rate * errorM + rate * abs(m[i]) * (12 + E * k1 + byRoot)
                + 12 * RoundingError.underflow / denominator
        }
    }
}
