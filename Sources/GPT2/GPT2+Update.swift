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
    ///
    /// Parts of one size are summed by all threads, and their sums in order: the same for any number of threads.
    public func gradientNorm() -> Double {
        let (elements, size) = (parameterGradients.elements, 1 << 16)
        let parts = Tensor<Double>(repeating: 0, count: (elements.count + size - 1) / size)
        let sums = parts.view
        kernels.workers.forEach(sums.count) { part in
            sums[part] = sumOfSquares(elements.slice(part * size..<min((part + 1) * size, elements.count)))
        }
        return sums.buffer.reduce(0, +).squareRoot()
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

/// In double, in eight chains, so that no addition waits for the last.
@specialized(where Scalar == Float)
private func sumOfSquares<Scalar: KernelScalar>(_ view: MutableView<Scalar>) -> Double {
    var sums = SIMD8<Double>.zero
    for start in stride(from: 0, to: view.count, by: 8) {
        for i in 0..<min(8, view.count - start) {
            let x = Double(view[start + i])
            sums[i] += x * x
        }
    }
    return sums.sum()
}
