import Kernels
import Tensors

extension FastKernels {
    /// ``Matmul/Forward`` by packed blocks.
    @Sendable public static func matmulForward(_ a: Matmul.Forward<Float>, _ workers: Workers) {
        Product.multiply(
            a.out, rows: a.B * a.T, columns: a.OC, depth: a.C, .lines(of: a.inp, a.C), .lines(of: a.weight, a.C),
            a.bias.map { .bias($0) } ?? .zero, workers)
    }

    /// ``Matmul/Backward`` by packed blocks.
    @Sendable public static func matmulBackward(_ a: Matmul.Backward<Float>, _ workers: Workers) {
        let rows = a.B * a.T
        Product.multiply(
            a.dinp, rows: rows, columns: a.C, depth: a.OC, .lines(of: a.dout, a.OC), .columns(of: a.weight, a.C),
            .accumulate, workers)
        Product.multiply(
            a.dweight, rows: a.OC, columns: a.C, depth: rows, .columns(of: a.dout, a.OC), .columns(of: a.inp, a.C),
            .accumulate, workers)
        guard let dbias = a.dbias else { return }
        for row in 0..<rows {
            for o in 0..<a.OC { dbias[o] += a.dout[row * a.OC + o] }
        }
    }
}

extension Factor {
    /// The rows of a row-major matrix with `columns` columns.
    fileprivate static func lines(of matrix: View<Float>, _ columns: Int) -> Factor {
        Factor(elements: matrix, lineStride: columns, depthStride: 1)
    }

    /// The columns of a row-major matrix with `columns` columns.
    fileprivate static func columns(of matrix: View<Float>, _ columns: Int) -> Factor {
        Factor(elements: matrix, lineStride: 1, depthStride: columns)
    }
}
extension FastKernels {
    public static func product(_ c: MutableView<Float>, rows: Int, columns: Int, depth: Int, _ x: View<Float>, _ y: View<Float>, _ mode: Int, _ w: Workers) {
        if mode == 1 { Product.multiply(c, rows: rows, columns: columns, depth: depth, .lines(of: x, depth), .columns(of: y, columns), .zero, w) }
        else { Product.multiply(c, rows: rows, columns: columns, depth: depth, .columns(of: x, rows), .columns(of: y, columns), .zero, w) }
    }
}
