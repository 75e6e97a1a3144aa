import Kernels
import Tensors

extension FastKernels {
    /// ``Residual/Forward``, vector by vector.
    @Sendable public static func residualForward(_ a: Residual.Forward<Float>, _ workers: Workers) {
        workers.forEachPart(a.N) { part in
            forEachVector(part) { i, count in
                (a.out.base + i).store((a.inp1.base + i).load(count) + (a.inp2.base + i).load(count), count)
            }
        }
    }

    /// ``Residual/Backward``, vector by vector.
    @Sendable public static func residualBackward(_ a: Residual.Backward<Float>, _ workers: Workers) {
        workers.forEachPart(a.N) { part in
            forEachVector(part) { i, count in
                let dout = (a.dout.base + i).load(count)
                let (first, second) = (a.dinp1.base + i, a.dinp2.base + i)
                first.store(first.load(count) + dout, count)
                second.store(second.load(count) + dout, count)
            }
        }
    }
}
