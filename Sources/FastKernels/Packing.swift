import CPrefetch
import Tensors

/// A factor of a product: lines, each as long as the sum is deep. The lines of a transposed matrix are a view as well.
///
///     c[i][j] = Σ_k a.line[i][k] · b.line[j][k]
struct Factor: Sendable {
    /// From line 0 at depth 0 on.
    let elements: View<Float>
    /// From line to line.
    let lineStride: Int
    /// From depth to depth; this or ``lineStride`` is 1.
    let depthStride: Int

    /// Lays `lines` out in panels of `width`, each depth by depth: what a tile reads, in order.
    ///
    /// A panel that reaches beyond the lines repeats the last of them.
    @inline(__always)
    func pack(_ lines: Range<Int>, _ depths: Range<Int>, width: Int, into target: UnsafeMutablePointer<Float>) {
        let source = elements.base + lines.lowerBound * lineStride + depths.lowerBound * depthStride
        let whole = depthStride == 1 ? 0 : lines.count / width * width
        if whole > 0 { copy(source, lines: whole, depth: depths.count, width: width, into: target) }
        for line in stride(from: whole, to: lines.count, by: width) {
            transpose(
                source + line * lineStride, last: min(width, lines.count - line) - 1, depth: depths.count, width: width,
                into: target + line * depths.count)
        }
    }

    /// One panel: blocks of 4 × 4, the last of them overlapping its neighbour.
    @inline(__always)
    private func transpose(
        _ source: UnsafePointer<Float>, last: Int, depth: Int, width: Int, into target: UnsafeMutablePointer<Float>
    ) {
        let whole = depthStride == 1 ? depth & ~3 : 0
        for block in stride(from: 0, to: width, by: 4) {
            let first = min(block, width - 4)
            let (a, b) = (source + min(first, last) * lineStride, source + min(first + 1, last) * lineStride)
            let (c, d) = (source + min(first + 2, last) * lineStride, source + min(first + 3, last) * lineStride)
            var target = target + first
            var k = 0
            while k < whole {
                let (x, y): (SIMD4<Float>, SIMD4<Float>) = ((a + k).load(), (b + k).load())
                let (z, w): (SIMD4<Float>, SIMD4<Float>) = ((c + k).load(), (d + k).load())
                let (lowXY, highXY) = (SIMD4(x[0], y[0], x[1], y[1]), SIMD4(x[2], y[2], x[3], y[3]))
                let (lowZW, highZW) = (SIMD4(z[0], w[0], z[1], w[1]), SIMD4(z[2], w[2], z[3], w[3]))
                target.store(SIMD4(lowHalf: lowXY.lowHalf, highHalf: lowZW.lowHalf))
                (target + width).store(SIMD4(lowHalf: lowXY.highHalf, highHalf: lowZW.highHalf))
                (target + 2 * width).store(SIMD4(lowHalf: highXY.lowHalf, highHalf: highZW.lowHalf))
                (target + 3 * width).store(SIMD4(lowHalf: highXY.highHalf, highHalf: highZW.highHalf))
                target += 4 * width
                k += 4
            }
            while k < depth {
                let step = k * depthStride
                target.store(SIMD4(a[step], b[step], c[step], d[step]))
                target += width
                k += 1
            }
        }
    }

    /// Whole panels of lines that lie side by side: each depth is read once, across all panels.
    @inline(__always)
    private func copy(
        _ source: UnsafePointer<Float>, lines: Int, depth: Int, width: Int, into target: UnsafeMutablePointer<Float>
    ) {
        for k in 0..<depth {
            var (source, target) = (source + k * depthStride, target + k * width)
            let end = source + lines
            while source < end {
                for i in 0..<width { target[i] = source[i] }
                source += width
                target += width * depth
            }
        }
    }
}

/// Asks memory for the elements of a factor that are packed next, a few cache lines at a time.
struct Prefetch {
    private let base: UnsafePointer<Float>
    private let stride: Int
    private let runs: Int
    private let lines: Int
    private var run = 0
    private var line = 0

    init(_ factor: Factor, _ lines: Range<Int>, _ depths: Range<Int>) {
        base = factor.elements.base + lines.lowerBound * factor.lineStride + depths.lowerBound * factor.depthStride
        let isTransposed = factor.depthStride == 1
        stride = isTransposed ? factor.lineStride : factor.depthStride
        runs = isTransposed ? lines.count : depths.count
        self.lines = ((isTransposed ? depths.count : lines.count) + 15) / 16
    }

    @inline(__always)
    mutating func advance(_ count: Int) {
        var count = count
        while count > 0 && run < runs {
            plumbline_prefetch(base + run * stride + line * 16)
            line += 1
            if line == lines { (run, line) = (run + 1, 0) }
            count -= 1
        }
    }
}
