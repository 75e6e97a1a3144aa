import Kernels
import Tensors

/// Loops that reach the machine's limits, for kernels to be measured against.
public enum Ceilings {
    /// Makes `rounds` rounds of fused multiply-adds on registers, on each worker, and returns the operations made.
    ///
    /// 12 accumulators hide the latency of an addition, four cycles at two a cycle, and fit the registers of any CPU.
    public static func multiplyAdd(rounds: Int, _ workers: Workers, into sink: MutableView<Float>) -> Int {
        workers.forEach(workers.count) { worker in
            let (x, y) = (Vector(repeating: 0.999), Vector(repeating: 0.001))
            var sums = InlineArray<12, Vector>(repeating: y)
            for _ in 0..<rounds {
                for i in 0..<12 { sums[i] = y.plus(sums[i], times: x) }
            }
            for i in 1..<12 { sums[0] += sums[i] }
            sink[worker] = sums[0].sum()
        }
        return rounds * 12 * Vector.scalarCount * 2 * workers.count
    }

    /// Computes a = b + 3·c once over all elements, shared by the workers, and returns the bytes moved.
    public static func triad(
        _ a: MutableView<Float>, _ b: View<Float>, _ c: View<Float>, _ workers: Workers
    ) -> Int {
        workers.forEach(workers.count) { worker in
            for i in a.count * worker / workers.count..<a.count * (worker + 1) / workers.count {
                a[i] = b[i] + 3 * c[i]
            }
        }
        return 3 * 4 * a.count
    }
}
