import Tensors

extension GEMM {
    /// Columns that are packed once, for several products.
    struct Panels {
        /// One panel after the other, each of ``RegisterTile/columns`` and the whole depth.
        let base: UnsafePointer<Float>
        let columns, depth: Int

        /// The elements of so many columns of that depth.
        static func room(_ columns: Int, depth: Int) -> Int { columns.rounded(up: Tile.columns) * depth }

        /// Packs the first so many lines of `factor` as columns, and moves `memory` past them.
        init(_ factor: Factor, _ columns: Int, depth: Int, into memory: inout UnsafeMutablePointer<Float>) {
            (base, self.columns, self.depth) = (UnsafePointer(memory), columns, depth)
            factor.pack(0..<columns, 0..<depth, width: Tile.columns, into: memory)
            memory += Self.room(columns, depth: depth)
        }
    }

    /// c = a · b, or c += a · b, for `rows` rows of c that lie `stride` apart; tile by tile as far as `reach` says: for some
    /// rows, the first so many columns by those depths. What lies beyond is left as it is.
    @inline(__always)
    static func multiply(
        _ c: UnsafeMutablePointer<Float>, stride: Int, rows: Int, _ a: RowFactors, _ b: Panels, accumulates: Bool,
        reach: (_ rows: Range<Int>) -> (columns: Int, depths: Range<Int>)
    ) {
        let chain = chain(of: b.depth)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: Tile.rows * Tile.columns) { memory in
            guard let held = memory.baseAddress else { return }
            for j in Swift.stride(from: 0, to: b.columns, by: Tile.columns) {
                for i in Swift.stride(from: 0, to: rows, by: Tile.rows) {
                    let end = min(i + Tile.rows, rows)
                    let (columns, depths) = reach(i..<end)
                    guard j < columns else { continue }
                    var a = a
                    a.base += i * a.line
                    a += depths.lowerBound
                    let target = c + i * stride + j
                    multiply(
                        a, b.base + j * b.depth + depths.lowerBound * Tile.columns, depth: depths.count, chain: chain,
                        into: target, stride: stride, initial: accumulates ? UnsafePointer(target) : nil,
                        initialStride: stride, rows: end - i, columns: min(Tile.columns, b.columns - j), held)
                }
            }
        }
    }
}
