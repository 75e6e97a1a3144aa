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

    // MARK: - Moving data

    /// Adds up all elements `rounds` times, shared by the workers, and returns the bytes read.
    ///
    /// Six sums hide the latency of an addition, and each reads a stretch of its own: one core waits for several lines at
    /// once, as kernels with several arguments do, and not for what one stream is fetched ahead.
    public static func read(
        _ a: View<Float>, rounds: Int, _ workers: Workers, into sink: MutableView<Float>
    ) -> Int {
        let stretch = vectors(a.count) / workers.count / 6
        workers.forEach(workers.count) { worker in
            let base = UnsafeRawPointer(a.base) + worker * 6 * stretch * size
            var (u, v, w, x, y, z) = (Vector(), Vector(), Vector(), Vector(), Vector(), Vector())
            for _ in 0..<rounds {
                for vector in 0..<stretch {
                    let start = base + vector * size
                    u += start.load(as: Vector.self)
                    v += start.load(fromByteOffset: stretch * size, as: Vector.self)
                    w += start.load(fromByteOffset: 2 * stretch * size, as: Vector.self)
                    x += start.load(fromByteOffset: 3 * stretch * size, as: Vector.self)
                    y += start.load(fromByteOffset: 4 * stretch * size, as: Vector.self)
                    z += start.load(fromByteOffset: 5 * stretch * size, as: Vector.self)
                }
            }
            sink[worker] = (u + v + w + x + y + z).sum()
        }
        return rounds * workers.count * 6 * stretch * size
    }

    /// Computes a = b + 3·c over all elements `rounds` times, shared by the workers, and returns the bytes moved: two
    /// elements read and one written, as STREAM counts. A store that first fetches its line moves a third more.
    ///
    /// Source: McCalpin 1995, Memory bandwidth and machine balance in current high performance computers.
    public static func triad(
        _ a: MutableView<Float>, _ b: View<Float>, _ c: View<Float>, rounds: Int, _ workers: Workers
    ) -> Int {
        combine(a, b, c, rounds: rounds, workers)
    }

    /// Computes a = a + 3·b over all elements `rounds` times, shared by the workers, and returns the bytes moved: two
    /// elements read and one written, whose line is there already.
    public static func update(_ a: MutableView<Float>, _ b: View<Float>, rounds: Int, _ workers: Workers) -> Int {
        combine(a, View(a), b, rounds: rounds, workers)
    }

    private typealias Vector = SIMD16<Float>
    private static let size = MemoryLayout<Vector>.size
    private static func vectors(_ elements: Int) -> Int { elements / Vector.scalarCount }

    /// a = b + 3·c, where b may be a. Each worker keeps its own part, so that it stays in that worker's cache, and goes
    /// through its two halves side by side.
    @inline(__always)
    private static func combine(
        _ a: MutableView<Float>, _ b: View<Float>, _ c: View<Float>, rounds: Int, _ workers: Workers
    ) -> Int {
        let half = vectors(a.count) / workers.count / 2
        workers.forEach(workers.count) { worker in
            let offset = worker * 2 * half * size
            let (a, b, c) = (
                UnsafeMutableRawPointer(a.base) + offset, UnsafeRawPointer(b.base) + offset,
                UnsafeRawPointer(c.base) + offset
            )
            let three = Vector(repeating: 3)
            for _ in 0..<rounds {
                for vector in 0..<half {
                    let (first, second) = (vector * size, (half + vector) * size)
                    let x = b.load(fromByteOffset: first, as: Vector.self)
                        .addingProduct(three, c.load(fromByteOffset: first, as: Vector.self))
                    let y = b.load(fromByteOffset: second, as: Vector.self)
                        .addingProduct(three, c.load(fromByteOffset: second, as: Vector.self))
                    a.storeBytes(of: x, toByteOffset: first, as: Vector.self)
                    a.storeBytes(of: y, toByteOffset: second, as: Vector.self)
                }
            }
        }
        return rounds * 3 * workers.count * 2 * half * size
    }
}
