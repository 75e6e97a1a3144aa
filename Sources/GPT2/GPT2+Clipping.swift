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

    /// Σ x², in eight sums at a time.
    static func sumOfSquares(_ x: View<some KernelScalar>) -> Double {
        var sums = SIMD8<Double>.zero
        var i = 0
        while i + 8 <= x.count {
            let lanes = SIMD8<Double>(
                Double(x[i]), Double(x[i + 1]), Double(x[i + 2]), Double(x[i + 3]), Double(x[i + 4]), Double(x[i + 5]),
                Double(x[i + 6]), Double(x[i + 7]))
            sums += lanes * lanes
            i += 8
        }
        var sum = sums.sum()
        while i < x.count {
            sum += Double(x[i]) * Double(x[i])
            i += 1
        }
        return sum
    }
}
