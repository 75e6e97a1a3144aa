import Kernels
import Tensors

extension FastKernels {
    /// ``Encoder/Forward``, row by row.
    @Sendable public static func encoderForward(_ a: Encoder.Forward<Float>, _ workers: Workers) {
        workers.forEachRow(a.B * a.T, of: a.C) { row in
            let token = a.wte.base + Int(a.inp[row]) * a.C
            let position = a.wpe.base + row % a.T * a.C
            let out = a.out.base + row * a.C
            forEachVector(0..<a.C) { i, count in
                (out + i).store((token + i).load(count) + (position + i).load(count), count)
            }
        }
    }

    /// ``Encoder/Backward``: each task takes a strip of columns through all rows, for a token may come twice.
    @Sendable public static func encoderBackward(_ a: Encoder.Backward<Float>, _ workers: Workers) {
        workers.forEachPart(a.C, grain: max((1 << 14) / (a.B * a.T), 64)) { columns in
            for row in 0..<a.B * a.T {
                let dout = a.dout.base + row * a.C
                let token = a.dwte.base + Int(a.inp[row]) * a.C
                let position = a.dwpe.base + row % a.T * a.C
                forEachVector(columns) { i, count in
                    add((dout + i).load(count), count, to: token + i, and: position + i)
                }
            }
        }
    }
}
