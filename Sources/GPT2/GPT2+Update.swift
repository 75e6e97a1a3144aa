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
