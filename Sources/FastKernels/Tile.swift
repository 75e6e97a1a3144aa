/// A tile of a matrix product, held in registers while the depth runs: `rows` rows of two vectors.
///
///     tile[i][j] = Σ_k a[k][i] · b[k][j]
///
/// 12 × 32 fills 24 of the 32 registers of AVX-512; 6 × 16 fills 12 of the 16 of AVX2, and 24 of the 32 of NEON. The
/// others hold the columns' factors and the row's. Every step makes two fused multiply-adds for each load.
struct Tile<Vector: SIMD, let rows: Int> where Vector.Scalar == Float {
    private struct Row {
        var left = Vector(repeating: 0)
        var right = Vector(repeating: 0)
    }

    static var columns: Int { 2 * Vector.scalarCount }

    /// c = initial + a · b, for the first `height` rows and `width` columns.
    ///
    /// - Parameters:
    ///   - a: `rows` factors for each depth.
    ///   - b: ``columns`` factors for each depth.
    ///   - initial: what the product is added to: nothing, c itself, or a bias with a stride of 0.
    @inline(__always)
    static func multiply(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, depth: Int, into c: UnsafeMutablePointer<Float>,
        stride: Int, initial: UnsafePointer<Float>?, initialStride: Int, height: Int, width: Int
    ) {
        var tile = InlineArray<rows, Row>(repeating: Row())
        var (a, b) = (a, UnsafeRawPointer(b))
        for _ in 0..<depth {
            let left = b.loadUnaligned(as: Vector.self)
            let right = b.loadUnaligned(fromByteOffset: MemoryLayout<Vector>.size, as: Vector.self)
            for i in 0..<rows {
                let factor = Vector(repeating: a[i])
                tile[i].left = tile[i].left.plus(factor, times: left)
                tile[i].right = tile[i].right.plus(factor, times: right)
            }
            a += rows
            b += 2 * MemoryLayout<Vector>.size
        }
        guard height == rows, width == columns else {
            return store(tile, into: c, stride, initial, initialStride, height: height, width: width)
        }
        for i in 0..<rows {
            let target = c + i * stride
            guard let initial else {
                target.store(tile[i].left)
                (target + Vector.scalarCount).store(tile[i].right)
                continue
            }
            let source = initial + i * initialStride
            target.store(source.load() + tile[i].left)
            (target + Vector.scalarCount).store((source + Vector.scalarCount).load() + tile[i].right)
        }
    }

    /// The same for a tile that reaches beyond the matrix.
    @inline(never)
    private static func store(
        _ tile: InlineArray<rows, Row>, into c: UnsafeMutablePointer<Float>, _ stride: Int,
        _ initial: UnsafePointer<Float>?, _ initialStride: Int, height: Int, width: Int
    ) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: rows * columns) { whole in
            guard let product = whole.baseAddress else { return }
            for i in 0..<rows {
                (product + i * columns).store(tile[i].left)
                (product + i * columns + Vector.scalarCount).store(tile[i].right)
            }
            for i in 0..<height {
                for j in 0..<width {
                    c[i * stride + j] = (initial.map { $0[i * initialStride + j] } ?? 0) + product[i * columns + j]
                }
            }
        }
    }
}
