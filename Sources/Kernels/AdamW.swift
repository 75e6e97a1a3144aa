import Tensors

/// One step of Adam with decoupled weight decay, in place.
///
///     m = β1·m + (1 − β1)·g,   v = β2·v + (1 − β2)·g²,   g = grads
///     params −= lr·(m̂ / (√v̂ + eps) + wd·params),   m̂ = m/(1 − β1^t),   v̂ = v/(1 − β2^t)
///
/// - Shapes: all (N). t counts steps from 1. The hyperparameters are the float32 numbers given, exactly.
/// - Rounding: with w = 1 − β, and m made by two products or as m + w1·(g − m), m has
///   ε_m = |m′| + max(β1, 3·w1)·|m| + 3·w1·|g|, v ε_v = v′ + max(β2, 3·w2)·v + 4·w2·g². 1 − β^t may be computed in
///   float32, by a power of E = ``transcendentalRoundings``, and loses k = β^t/(1 − β^t) times that to cancellation. With
///   the step D = lr·|m̂|/(√v̂ + eps) and the root's share ρ = √v̂/(√v̂ + eps), params has ε = |params′|
///   + (2 + 3·lr·wd)·|params| + D·(ε_m/|m′| + 12 + E·k1 + ½·ρ·(ε_v/v′ + E·k2)).
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
            self.learningRate = learningRate
            self.beta1 = beta1
            self.beta2 = beta2
            self.eps = eps
            self.weightDecay = weightDecay
        }
    }

    /// params, m and v after one step
    public struct Update<Scalar: KernelScalar>: Kernel {
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
            self.params = params
            self.m = m
            self.v = v
            self.grads = grads
            self.hyperparameters = hyperparameters
            self.t = t
            self.N = N
        }

        public mutating func visit(_ visitor: inout some ArgumentVisitor<Scalar>) {
            visitor.size("N", &N)
            visitor.size("t", &t)
            visitor.hyperparameter("learning_rate", &hyperparameters.learningRate)
            visitor.hyperparameter("beta1", &hyperparameters.beta1)
            visitor.hyperparameter("beta2", &hyperparameters.beta2)
            visitor.hyperparameter("eps", &hyperparameters.eps)
            visitor.hyperparameter("weight_decay", &hyperparameters.weightDecay)
            visitor.accumulator("params", &params, N, roundings: 24)
            visitor.accumulator("m", &m, N, roundings: 4)
            visitor.accumulator("v", &v, N, roundings: 5)
            visitor.input("grads", &grads, N)
        }

        public var cost: Cost { Cost(operations: 14 * N, elements: 7 * N) }
    }
}
