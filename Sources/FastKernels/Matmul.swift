import Kernels
import Tensors

extension FastKernels {
    /// ``Matmul/Forward`` by packed blocks.
    @Sendable public static func matmulForward(_ a: Matmul.Forward<Float>, _ workers: Workers) {
        Product.multiply(
            a.out, stride: a.OC, rows: a.B * a.T, columns: a.OC, depth: a.C, .rows(of: a.inp, a.C),
            .rows(of: a.weight, a.C), a.bias.map { .bias($0) } ?? .zero, workers)
    }

    /// ``Matmul/Backward`` by packed blocks.
    @Sendable public static func matmulBackward(_ a: Matmul.Backward<Float>, _ workers: Workers) {
        let rows = a.B * a.T
        let overwritesParameters = a.overwrites.contains(.parameters)
        Product.multiply(
            a.dinp, stride: a.C, rows: rows, columns: a.C, depth: a.OC, .rows(of: a.dout, a.OC),
            .columns(of: a.weight, a.C), a.overwrites.contains(.activations) ? .zero : .accumulate, workers)
        Product.multiply(
            a.dweight, stride: a.C, rows: a.OC, columns: a.C, depth: rows, .columns(of: a.dout, a.OC),
            .columns(of: a.inp, a.C), overwritesParameters ? .zero : .accumulate, workers)
        guard let dbias = a.dbias else { return }
        workers.sumRows(rows, into: [dbias], overwrite: overwritesParameters) { sums, row, o, count in
            sums[0] += (a.dout.base + row * a.OC + o).load(count)
        }
    }
}

extension Factor {
    /// The rows of a row-major matrix, which lie `stride` apart.
    static func rows(of matrix: View<Float>, _ stride: Int) -> Factor {
        Factor(elements: matrix, lineStride: stride, depthStride: 1)
    }

    /// The columns of a row-major matrix whose rows lie `stride` apart.
    static func columns(of matrix: View<Float>, _ stride: Int) -> Factor {
        Factor(elements: matrix, lineStride: 1, depthStride: stride)
    }

    /// The same matrix with its depths as lines.
    var transposed: Factor { Factor(elements: elements, lineStride: depthStride, depthStride: lineStride) }

    /// The lines from `line` on.
    func from(_ line: Int) -> Factor {
        Factor(elements: elements.from(line * lineStride), lineStride: lineStride, depthStride: depthStride)
    }

    /// Where a line begins.
    func line(_ line: Int) -> UnsafePointer<Float> { elements.base + line * lineStride }
}
