import CInstructions
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
    /// A panel that reaches beyond the lines repeats the last of them. The width is to be a constant, for the compiler.
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

    /// One panel: whole lines of it by blocks of 16 × 16, all others by blocks of 4 × 4.
    @inline(__always)
    private func transpose(
        _ source: UnsafePointer<Float>, last: Int, depth: Int, width: Int,
        into target: UnsafeMutablePointer<Float>
    ) {
        guard width % 16 == 0, depthStride == 1, last == width - 1 else {
            return transposeByFours(source, last: last, depth: depth, width: width, into: target)
        }
        let whole = depth & ~15
        for k in stride(from: 0, to: whole, by: 16) {
            for block in stride(from: 0, to: width, by: 16) {
                plumbline_transpose16(source + block * lineStride + k, lineStride, target + k * width + block, width)
            }
        }
        guard whole < depth else { return }
        transposeByFours(
            source + whole, last: last, depth: depth - whole, width: width, into: target + whole * width)
    }

    /// One panel: blocks of 4 × 4, the last of them overlapping its neighbour.
    @inline(__always)
    private func transposeByFours(
        _ source: UnsafePointer<Float>, last: Int, depth: Int, width: Int,
        into target: UnsafeMutablePointer<Float>
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
        _ source: UnsafePointer<Float>, lines: Int, depth: Int, width: Int,
        into target: UnsafeMutablePointer<Float>
    ) {
        for k in 0..<depth {
            var (source, target) = (source + k * depthStride, target + k * width)
            let end = source + lines
            while source < end {
                target.copy(source, count: width)
                source += width
                target += width * depth
            }
        }
    }
}

/// Asks memory for the elements of a factor that are packed next, a few cache lines at a time.
struct Prefetch {
    /// Elements that lie together: a line of a factor, or a depth of one whose lines lie side by side.
    private let runs: (base: UnsafePointer<Float>, stride: Int, count: Int, cacheLines: Int)
    private var run = 0
    private var cacheLine = 0

    /// Those of `lines` and `depths`.
    init(_ factor: Factor, _ lines: Range<Int>, _ depths: Range<Int>) {
        let base = factor.elements.base + lines.lowerBound * factor.lineStride + depths.lowerBound * factor.depthStride
        runs =
            factor.depthStride == 1
            ? (base, factor.lineStride, lines.count, (depths.count + 15) / 16)
            : (base, factor.depthStride, lines.isEmpty ? 0 : depths.count, (lines.count + 15) / 16)
    }

    /// Asks for the next eight cache lines.
    @inline(__always)
    mutating func advance() {
        for _ in 0..<8 where run < runs.count {
            plumbline_prefetch(runs.base + run * runs.stride + cacheLine * 16)
            cacheLine += 1
            if cacheLine == runs.cacheLines { (run, cacheLine) = (run + 1, 0) }
        }
    }
}

extension UnsafeMutablePointer<Float> {
    /// Copies a constant, even number of elements by vectors: one by one otherwise, because the two might overlap.
    @inline(__always)
    fileprivate func copy(_ source: UnsafePointer<Float>, count: Int) {
        var i = 0
        @inline(__always)
        func copy<V: SIMD<Float>>(_: V.Type) {
            let vector: V = (source + i).load()
            (self + i).store(vector)
            i += V.scalarCount
        }
        while i + 8 <= count { copy(SIMD8<Float>.self) }
        if count & 4 != 0 { copy(SIMD4<Float>.self) }
        if count & 2 != 0 { copy(SIMD2<Float>.self) }
    }
}
