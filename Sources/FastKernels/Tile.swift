/// Where a tile finds the factors of its rows.
struct RowFactors {
    /// Of the first row at the first depth.
    var base: UnsafePointer<Float>
    /// From row to row, and from depth to depth.
    let line, step: Int

    /// From some depths on.
    static func += (factors: inout RowFactors, depth: Int) { factors.base += depth * factors.step }
}

/// A tile of a matrix product that a CPU's registers hold.
protocol RegisterTile: SendableMetatype {
    static var rows: Int { get }
    static var columns: Int { get }

    /// c = initial + a · b, for the first so many rows and columns.
    ///
    /// - Parameters:
    ///   - a: A factor of each row for each depth.
    ///   - b: ``columns`` factors for each depth.
    ///   - initial: what the product is added to: nothing, c itself, or a bias with a stride of 0.
    static func multiply(
        _ a: RowFactors, _ b: UnsafePointer<Float>, depth: Int, into c: UnsafeMutablePointer<Float>,
        stride: Int, initial: UnsafePointer<Float>?, initialStride: Int, rows: Int, columns: Int)
}

/// A tile held in registers while the depth runs: `height` rows of two vectors.
///
///     tile[i][j] = Σ_k a[k][i] · b[k][j]
///
/// 12 × 32 fills 24 of the 32 registers of AVX-512; 6 × 16 fills 12 of the 16 of AVX2, and 24 of the 32 of NEON. The
/// others hold the columns' factors and the row's. Every step makes two fused multiply-adds for each load.
struct Tile<Vector: SIMD, let height: Int>: RegisterTile where Vector.Scalar == Float {
    static var rows: Int { height }
    static var columns: Int { 2 * Vector.scalarCount }

    @inline(__always)
    static func multiply(
        _ a: RowFactors, _ b: UnsafePointer<Float>, depth: Int, into c: UnsafeMutablePointer<Float>,
        stride: Int, initial: UnsafePointer<Float>?, initialStride: Int, rows rowCount: Int, columns columnCount: Int
    ) {
        if rowCount == rows && columnCount == columns {
            Strip<Vector, height>.multiplyWhole(a, b, depth, into: c, stride, initial, initialStride)
        } else {
            multiplyPart(a, b, depth, into: c, stride, initial, initialStride, rows: rowCount, columns: columnCount)
        }
    }

    /// The same for a tile that reaches beyond the matrix: where its columns do, it is multiplied aside.
    @inline(never)
    private static func multiplyPart(
        _ a: RowFactors, _ b: UnsafePointer<Float>, _ depth: Int, into c: UnsafeMutablePointer<Float>,
        _ stride: Int, _ initial: UnsafePointer<Float>?, _ initialStride: Int, rows rowCount: Int,
        columns columnCount: Int
    ) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: rows * columns) { memory in
            guard let product = memory.baseAddress else { return }
            multiplyStrip(a, b, depth, into: product, rows: rowCount)
            for i in 0..<rowCount {
                let (row, target) = (product + i * columns, c + i * stride)
                let start = initial.map { $0 + i * initialStride }
                forEachVector(0..<columnCount) { j, count in
                    let sum = (row + j).load(count)
                    (target + j).store(start.map { ($0 + j).load(count) + sum } ?? sum, count)
                }
            }
        }
    }

    /// So many rows and no more, each with all columns: neither is there anything beyond, nor is it worth the time.
    private static func multiplyStrip(
        _ a: RowFactors, _ b: UnsafePointer<Float>, _ depth: Int, into product: UnsafeMutablePointer<Float>, rows: Int
    ) {
        @inline(__always)
        func multiply<let count: Int>(_: Strip<Vector, count>.Type) {
            Strip<Vector, count>.multiply(a, b, depth, into: product, columns, nil, 0)
        }
        switch rows {
        case 1: multiply(Strip<Vector, 1>.self)
        case 2: multiply(Strip<Vector, 2>.self)
        case 3: multiply(Strip<Vector, 3>.self)
        case 4: multiply(Strip<Vector, 4>.self)
        case 5: multiply(Strip<Vector, 5>.self)
        case 6: multiply(Strip<Vector, 6>.self)
        case 7: multiply(Strip<Vector, 7>.self)
        case 8: multiply(Strip<Vector, 8>.self)
        case 9: multiply(Strip<Vector, 9>.self)
        case 10: multiply(Strip<Vector, 10>.self)
        case 11: multiply(Strip<Vector, 11>.self)
        default: multiply(Strip<Vector, height>.self)
        }
    }
}

/// The first `height` rows of a tile.
private struct Strip<Vector: SIMD, let height: Int> where Vector.Scalar == Float {
    private struct Row {
        var left = Vector(repeating: 0)
        var right = Vector(repeating: 0)
    }

    /// c = initial + a · b
    @inline(__always)
    static func multiplyWhole(
        _ a: RowFactors, _ b: UnsafePointer<Float>, _ depth: Int, into c: UnsafeMutablePointer<Float>, _ stride: Int,
        _ initial: UnsafePointer<Float>?, _ initialStride: Int
    ) {
        if a.line == 1 && a.step == height {
            multiplyPacked(a.base, b, depth, into: c, stride, initial, initialStride)
        } else {
            multiply(a, b, depth, into: c, stride, initial, initialStride)
        }
    }

    /// The same where the factors of a depth lie side by side, and those of the next behind them: where the compiler knows
    /// that, it needs no registers for it.
    @inline(never)
    private static func multiplyPacked(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ depth: Int, into c: UnsafeMutablePointer<Float>,
        _ stride: Int, _ initial: UnsafePointer<Float>?, _ initialStride: Int
    ) {
        unrolled(
            RowFactors(base: a, line: 1, step: height), b, depth, into: c, stride, initial, initialStride)
    }

    /// The same, wherever the factors lie.
    @inline(never)
    static func multiply(
        _ a: RowFactors, _ b: UnsafePointer<Float>, _ depth: Int, into c: UnsafeMutablePointer<Float>, _ stride: Int,
        _ initial: UnsafePointer<Float>?, _ initialStride: Int
    ) {
        unrolled(a, b, depth, into: c, stride, initial, initialStride)
    }

    /// Into functions of their own: in a larger one the compiler gives up on unrolling, and with that on registers.
    @inline(__always)
    private static func unrolled(
        _ a: RowFactors, _ b: UnsafePointer<Float>, _ depth: Int, into c: UnsafeMutablePointer<Float>, _ stride: Int,
        _ initial: UnsafePointer<Float>?, _ initialStride: Int
    ) {
        let (columns, line, step) = (2 * Vector.scalarCount, a.line, a.step)
        var tile = InlineArray<height, Row>(repeating: Row())
        @inline(__always)
        func add(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>) {
            let (left, right): (Vector, Vector) = (b.load(), (b + Vector.scalarCount).load())
            for i in 0..<height {
                let factor = Vector(repeating: a[i * line])
                tile[i].left = tile[i].left.plus(factor, times: left)
                tile[i].right = tile[i].right.plus(factor, times: right)
            }
        }
        var (a, b) = (a.base, b)
        // By fours: what a loop costs besides counts where another thread has a share of the core. Of 24 sums the compiler
        // would then keep one in memory; beside those a loop costs little.
        let fours = height > 6 ? 0 : depth / 4
        for _ in 0..<fours {
            add(a, b)
            add(a + step, b + columns)
            add(a + 2 * step, b + 2 * columns)
            add(a + 3 * step, b + 3 * columns)
            a += 4 * step
            b += 4 * columns
        }
        for _ in 4 * fours..<depth {
            add(a, b)
            a += step
            b += columns
        }
        if let initial {
            for i in 0..<height {
                let source = initial + i * initialStride
                tile[i].left += source.load()
                tile[i].right += (source + Vector.scalarCount).load()
            }
        }
        for i in 0..<height {
            (c + i * stride).store(tile[i].left)
            (c + i * stride + Vector.scalarCount).store(tile[i].right)
        }
    }
}
