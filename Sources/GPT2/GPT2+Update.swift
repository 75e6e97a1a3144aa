import Kernels
import Tensors

/// AdamW's running moments of every parameter's gradient, in the parameters' layout.
public struct Moments<Scalar: KernelScalar>: ~Copyable {
    /// The first moment.
    public let m: Arena<Scalar>
    /// The second moment.
    public let v: Arena<Scalar>
}

extension GPT2 {
    /// Makes step `t`, counted from 1, of AdamW.
    ///
    /// Weight decay acts on matrices and embeddings, and not on biases and norms, as in nanoGPT and llm.c.
    public mutating func update(_ hyperparameters: AdamW.Hyperparameters, step t: Int) {
        if moments == nil { moments = Moments(m: Arena(parameterLayout.tensors), v: Arena(parameterLayout.tensors)) }
        for tensor in parameterLayout.tensors.tensors {
            var hyperparameters = hyperparameters
            if tensor.shape.count < 2 { hyperparameters.weightDecay = 0 }
            update(tensor, hyperparameters, step: t)
        }
    }

    private func update(_ tensor: TensorSpecification, _ hyperparameters: AdamW.Hyperparameters, step t: Int) {
        switch moments {
        case .none: preconditionFailure("an update without moments")
        case .some(let moments):
            kernels.run(
                AdamW.Update(
                    params: parameters[tensor], m: moments.m[tensor], v: moments.v[tensor],
                    grads: parameterGradients[tensor], hyperparameters: hyperparameters, t: t, N: tensor.count))
        }
    }
}

extension GPT2 {
    /// The global L2 norm of the parameters' gradients.
    public func gradientNorm() -> Double {
        parameterGradients.elements.buffer.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }

    /// The first moment of a parameter.
    ///
    /// - Precondition: an update has been made.
    public func firstMoment(_ tensor: TensorSpecification) -> View<Scalar> {
        switch moments {
        case .none: preconditionFailure("no update has been made")
        case .some(let moments): moments.m[tensor]
        }
    }

    /// The second moment of a parameter.
    ///
    /// - Precondition: an update has been made.
    public func secondMoment(_ tensor: TensorSpecification) -> View<Scalar> {
        switch moments {
        case .none: preconditionFailure("no update has been made")
        case .some(let moments): moments.v[tensor]
        }
    }
}
