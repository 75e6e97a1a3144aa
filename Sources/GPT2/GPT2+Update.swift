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
        makeMoments()
        for tensor in parameterLayout.tensors.tensors {
            var hyperparameters = hyperparameters
            if tensor.shape.count < 2 { hyperparameters.weightDecay = 0 }
            update(tensor, hyperparameters, step: t)
        }
    }

    /// Makes the moments, all 0, unless there are some.
    mutating func makeMoments() {
        if moments == nil { moments = Moments(m: Arena(parameterLayout.tensors), v: Arena(parameterLayout.tensors)) }
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

    /// Sets the moments to what `fill` writes into each parameter's first and second, as when a run is resumed.
    public mutating func restoreMoments<Failure: Error>(
        _ fill: (TensorSpecification, _ m: MutableView<Scalar>, _ v: MutableView<Scalar>) throws(Failure) -> Void
    ) throws(Failure) {
        makeMoments()
        switch moments {
        case .none: break
        case .some(let moments):
            for tensor in parameterLayout.tensors.tensors { try fill(tensor, moments.m[tensor], moments.v[tensor]) }
        }
    }
}
