import Kernels
import Tensors

/// Loops that reach the machine's limits, for kernels to be measured against.
public enum Ceilings {
    /// Makes `rounds` rounds of fused multiply-adds on registers, on each worker, and returns the operations made.
    ///
    /// 16 accumulators hide the latency of an addition: four cycles, two a cycle.
    public static func multiplyAdd(rounds: Int, _ workers: Workers, into sink: MutableView<Float>) -> Int {
        workers.forEach(workers.count) { worker in
            typealias Vector = SIMD16<Float>
            let (x, y) = (Vector(repeating: 0.999), Vector(repeating: 0.001))
            var (a, b, c, d, e, f, g, h) = (y, y, y, y, y, y, y, y)
            var (i, j, k, l, m, n, o, p) = (y, y, y, y, y, y, y, y)
            for _ in 0..<rounds {
                a = y.addingProduct(a, x)
                b = y.addingProduct(b, x)
                c = y.addingProduct(c, x)
                d = y.addingProduct(d, x)
                e = y.addingProduct(e, x)
                f = y.addingProduct(f, x)
                g = y.addingProduct(g, x)
                h = y.addingProduct(h, x)
                i = y.addingProduct(i, x)
                j = y.addingProduct(j, x)
                k = y.addingProduct(k, x)
                l = y.addingProduct(l, x)
                m = y.addingProduct(m, x)
                n = y.addingProduct(n, x)
                o = y.addingProduct(o, x)
                p = y.addingProduct(p, x)
            }
            sink[worker] = (a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p).sum()
        }
        return rounds * 16 * 16 * 2 * workers.count
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
