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
            @inline(__always)
            func add(_ i: Int, _ count: Int) {
                let dout = (a.dout.base + i).load(count)
                let (first, second) = (a.dinp1.base + i, a.dinp2.base + i)
                // Both are read first: a load waits for a store whose address ends in the same 12 bits.
                let sums = (first.load(count) + dout, second.load(count) + dout)
                first.store(sums.0, count)
                second.store(sums.1, count)
            }
            forEachVector(part, add)
        }
    }
}
