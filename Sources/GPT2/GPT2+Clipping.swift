import Kernels
import Tensors

extension GPT2 {
    /// The global L2 norm of the parameters' gradients; the same bits for any number of threads.
    public func gradientNorm() -> Double {
        let gradients = parameterGradients.elements
        let blocks = GradientBlock.ranges(of: gradients)
        let sums = Tensor<Double>(repeating: 0, count: blocks.count)
        let view = sums.view
        kernels.workers.forEach(blocks.count) {
            view[$0] = GradientBlock.sumOfSquares(View(gradients.slice(blocks[$0])))
        }
        return view.buffer.reduce(0, +).squareRoot()
    }

    /// Scales the gradients so that their norm is at most `limit`, and returns what it was.
    ///
    ///     grads *= min(1, limit / (norm + 1e-6))
    ///
    /// Source: Pascanu, Mikolov and Bengio 2013, arXiv:1211.5063; `torch.nn.utils.clip_grad_norm_`.
    public func clipGradients(to limit: Double) -> Double {
        let norm = gradientNorm()
        let factor = limit / (norm + 1e-6)
        guard factor < 1 else { return norm }
        let gradients = parameterGradients.elements
        let blocks = GradientBlock.ranges(of: gradients)
        kernels.workers.forEach(blocks.count) { block in
            let part = gradients.slice(blocks[block])
            for i in 0..<part.count { part[i] *= Scalar(factor) }
        }
        return norm
    }
}

/// A stretch of gradients that one thread works on.
private enum GradientBlock {
    static func ranges(of gradients: MutableView<some KernelScalar>) -> [Range<Int>] {
        stride(from: 0, to: gradients.count, by: 1 << 16).map { $0..<min($0 + 1 << 16, gradients.count) }
    }

    /// Σ x² in double, in eight chains, so that no addition waits for the last.
    @specialized(where Scalar == Float)
    static func sumOfSquares<Scalar: KernelScalar>(_ view: View<Scalar>) -> Double {
        var sums = SIMD8<Double>.zero
        for start in stride(from: 0, to: view.count, by: 8) {
            for i in 0..<min(8, view.count - start) {
                let x = Double(view[start + i])
                sums[i] += x * x
            }
        }
        return sums.sum()
    }
}
