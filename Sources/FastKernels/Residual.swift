import Kernels
import Tensors

extension FastKernels {
    /// ``Residual/Forward``, vector by vector.
    @Sendable public static func residualForward(_ a: Residual.Forward<Float>, _ workers: Workers) {
        let streams = exceedsCache(a.N)
        workers.forEachPart(a.N) { part in
            @inline(__always)
            func sum(_ i: Int, _ count: Int) -> Vector { (a.inp1.base + i).load(count) + (a.inp2.base + i).load(count) }
            write(part, to: a.out.base, streams: streams, sum)
        }
    }

    /// ``Residual/Backward``, vector by vector.
    @Sendable public static func residualBackward(_ a: Residual.Backward<Float>, _ workers: Workers) {
        workers.forEachPart(a.N) { part in
            @inline(__always)
            func accumulate(_ i: Int, _ count: Int) {
                add((a.dout.base + i).load(count), count, to: a.dinp1.base + i, and: a.dinp2.base + i)
            }
            forEachVectorByTwos(part, accumulate)
        }
    }
}
