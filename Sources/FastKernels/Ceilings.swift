import Kernels
import Tensors

/// Loops that reach the machine's limits, for kernels to be measured against.
///
/// The fused multiply-adds come in two widths, because the width of a register is not known here: one of them fills it,
/// and the faster one is the limit. Twelve sums hide the latency of an addition on all common cores (four cycles, two a
/// cycle, needs eight) and, with the two factors, fit into AVX2's 16 registers; sixteen would spill.
public enum Ceilings {
    /// Makes `rounds` rounds of fused multiply-adds on eight elements each, on each worker; returns the operations made.
    public static func multiplyAdd8(rounds: Int, _ workers: Workers, into sink: MutableView<Float>) -> Int {
        workers.forEach(workers.count) { sink[$0] = twelveSums(of: SIMD8<Float>.self, rounds).sum() }
        return rounds * 12 * 8 * 2 * workers.count
    }

    /// Makes `rounds` rounds of fused multiply-adds on 16 elements each, on each worker; returns the operations made.
    public static func multiplyAdd16(rounds: Int, _ workers: Workers, into sink: MutableView<Float>) -> Int {
        workers.forEach(workers.count) { sink[$0] = twelveSums(of: SIMD16<Float>.self, rounds).sum() }
        return rounds * 12 * 16 * 2 * workers.count
    }

    /// Twelve sums, each `rounds` times multiplied and added to.
    @inline(__always)
    private static func twelveSums<V: SIMD<Float>>(of _: V.Type, _ rounds: Int) -> V {
        let (x, y) = (V(repeating: 0.999), V(repeating: 0.001))
        var (a, b, c, d, e, f) = (y, y, y, y, y, y)
        var (g, h, i, j, k, l) = (y, y, y, y, y, y)
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
        }
        return a + b + c + d + e + f + g + h + i + j + k + l
    }

    /// Adds up all elements `rounds` times, shared by the workers, and returns the bytes read. Six sums hide the latency of
    /// an addition.
    public static func read(
        _ a: View<Float>, rounds: Int, _ workers: Workers, into sink: MutableView<Float>
    ) -> Int {
        typealias Vector = SIMD16<Float>
        let stride = MemoryLayout<Vector>.size
        let blocks = a.count / (6 * Vector.scalarCount)
        workers.forEach(workers.count) { worker in
            // Each worker keeps its own part, so that it stays in that worker's cache.
            let part = blocks * worker / workers.count..<blocks * (worker + 1) / workers.count
            let base = UnsafeRawPointer(a.base)
            var (u, v, w, x, y, z) = (Vector(), Vector(), Vector(), Vector(), Vector(), Vector())
            for _ in 0..<rounds {
                for block in part {
                    let start = base + block * 6 * stride
                    u += start.load(as: Vector.self)
                    v += start.load(fromByteOffset: stride, as: Vector.self)
                    w += start.load(fromByteOffset: 2 * stride, as: Vector.self)
                    x += start.load(fromByteOffset: 3 * stride, as: Vector.self)
                    y += start.load(fromByteOffset: 4 * stride, as: Vector.self)
                    z += start.load(fromByteOffset: 5 * stride, as: Vector.self)
                }
            }
            sink[worker] = (u + v + w + x + y + z).sum()
        }
        return rounds * blocks * 6 * stride
    }

    /// Computes a = b + 3·c over all elements `rounds` times, shared by the workers, and returns the bytes moved: two
    /// elements read and one written, as STREAM counts. A store that first fetches its line moves a third more.
    ///
    /// Source: McCalpin 1995, Memory bandwidth and machine balance in current high performance computers.
    public static func triad(
        _ a: MutableView<Float>, _ b: View<Float>, _ c: View<Float>, rounds: Int, _ workers: Workers
    ) -> Int {
        workers.forEach(workers.count) { worker in
            typealias Vector = SIMD16<Float>
            let width = Vector.scalarCount
            // Each worker keeps its own part, so that it stays in that worker's cache.
            let blocks = a.count / width
            let part = blocks * worker / workers.count..<blocks * (worker + 1) / workers.count
            let (a, b, c) = (UnsafeMutableRawPointer(a.base), UnsafeRawPointer(b.base), UnsafeRawPointer(c.base))
            let three = Vector(repeating: 3)
            for _ in 0..<rounds {
                for block in part {
                    let offset = block * MemoryLayout<Vector>.size
                    let sum = b.load(fromByteOffset: offset, as: Vector.self)
                        .addingProduct(three, c.load(fromByteOffset: offset, as: Vector.self))
                    a.storeBytes(of: sum, toByteOffset: offset, as: Vector.self)
                }
            }
        }
        return rounds * 3 * 4 * (a.count / 16 * 16)
    }
}
