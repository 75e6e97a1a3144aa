import Kernels
import Tensors

extension FastKernels {
    /// ``Matmul/Forward`` by packed blocks.
    @Sendable public static func matmulForward(_ a: Matmul.Forward<Float>, _ workers: Workers) {
        let rows = a.B * a.T
        if let bias = a.bias {
            for row in 0..<rows { (a.out.base + row * a.OC).update(from: bias.base, count: a.OC) }
        } else {
            a.out.fill(0)
        }
        GEMM.accumulate(
            a.out, rows: rows, columns: a.OC, depth: a.C,
            Matrix(a.inp, rowStride: a.C, columnStride: 1), Matrix(a.weight, rowStride: 1, columnStride: a.C), workers)
    }

    /// ``Matmul/Backward`` by packed blocks.
    @Sendable public static func matmulBackward(_ a: Matmul.Backward<Float>, _ workers: Workers) {
        let rows = a.B * a.T
        GEMM.accumulate(
            a.dinp, rows: rows, columns: a.C, depth: a.OC,
            Matrix(a.dout, rowStride: a.OC, columnStride: 1), Matrix(a.weight, rowStride: a.C, columnStride: 1), workers
        )
        GEMM.accumulate(
            a.dweight, rows: a.OC, columns: a.C, depth: rows,
            Matrix(a.dout, rowStride: 1, columnStride: a.OC), Matrix(a.inp, rowStride: a.C, columnStride: 1), workers)
        guard let dbias = a.dbias else { return }
        for row in 0..<rows {
            for o in 0..<a.OC { dbias[o] += a.dout[row * a.OC + o] }
        }
    }
}
