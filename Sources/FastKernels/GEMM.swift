import Kernels
import Tensors

/// A matrix in memory, of any strides: a transpose is a view.
struct Matrix: Sendable {
    private let view: View<Float>
    let rowStride: Int
    let columnStride: Int

    init(_ view: View<Float>, rowStride: Int, columnStride: Int) {
        self.view = view
        self.rowStride = rowStride
        self.columnStride = columnStride
    }

    var base: UnsafePointer<Float> { view.base }
}

/// Matrix multiplication by packed blocks and a micro-kernel that holds a 12 × 32 tile in registers.
///
/// Every element is summed in the same order, whatever the number of threads and wherever its tile lies: within a block
/// of the depth from first to last, then block by block.
///
/// Source: Goto and van de Geijn 2008, Anatomy of high-performance matrix multiplication; Van Zee and van de Geijn 2015,
/// BLIS.
enum GEMM {
    private typealias Vector = SIMD16<Float>

    /// The tile: 24 of 32 vector registers hold it, two the columns' factors, one the row's.
    private static let tileRows = 12
    private static let tileColumns = 32
    /// The depth of a block: a panel of 32 columns is then 32 KiB, a first-level cache.
    private static let blockDepth = 256
    /// The rows of a block: 480 × 256 elements are half a second-level cache.
    private static let blockRows = 480

    /// c += a · b, where c is (rows, columns), a (rows, depth) and b (depth, columns).
    static func accumulate(
        _ c: MutableView<Float>, rows: Int, columns: Int, depth: Int, _ a: Matrix, _ b: Matrix, _ workers: Workers
    ) {
        // The larger extent is shared out, in whole tiles.
        let splitsRows = rows > columns
        let tile = splitsRows ? tileRows : tileColumns
        let tiles = ((splitsRows ? rows : columns) + tile - 1) / tile
        let parts = min(workers.count, tiles)
        workers.forEach(parts) { part in
            let first = tiles * part / parts * tile
            let last = min(tiles * (part + 1) / parts * tile, splitsRows ? rows : columns)
            block(
                c.base, stride: columns, rows: splitsRows ? first..<last : 0..<rows,
                columns: splitsRows ? 0..<columns : first..<last, depth: depth, a, b)
        }
    }

    /// The part of the product in `rows` and `columns`, on one thread.
    private static func block(
        _ c: UnsafeMutablePointer<Float>, stride: Int, rows: Range<Int>, columns: Range<Int>, depth: Int, _ a: Matrix,
        _ b: Matrix
    ) {
        let packedRows = Tensor<Float>(repeating: 0, count: blockRows * blockDepth)
        let packedColumns = Tensor<Float>(repeating: 0, count: tileColumns * blockDepth)
        for k in Swift.stride(from: 0, to: depth, by: blockDepth) {
            let depths = k..<min(k + blockDepth, depth)
            for i in Swift.stride(from: rows.lowerBound, to: rows.upperBound, by: blockRows) {
                let blockRange = i..<min(i + blockRows, rows.upperBound)
                pack(rows: blockRange, depths, of: a, into: packedRows.view.base)
                for j in Swift.stride(from: columns.lowerBound, to: columns.upperBound, by: tileColumns) {
                    let width = min(tileColumns, columns.upperBound - j)
                    pack(columns: j..<j + width, depths, of: b, into: packedColumns.view.base)
                    for row in Swift.stride(from: blockRange.lowerBound, to: blockRange.upperBound, by: tileRows) {
                        let height = min(tileRows, blockRange.upperBound - row)
                        multiplyTile(
                            packedRows.view.base + (row - i) * depths.count, packedColumns.view.base, depths.count,
                            into: c + row * stride + j, stride: stride, height: height, width: width)
                    }
                }
            }
        }
    }

    // MARK: - Packing

    /// Lays rows out in groups of 12, each depth by depth; the last group is filled up with 0.
    private static func pack(
        rows: Range<Int>, _ depths: Range<Int>, of a: Matrix, into packed: UnsafeMutablePointer<Float>
    ) {
        var target = packed
        for group in stride(from: rows.lowerBound, to: rows.upperBound, by: tileRows) {
            for i in 0..<tileRows {
                let source = a.base + (group + i) * a.rowStride + depths.lowerBound * a.columnStride
                if group + i < rows.upperBound {
                    for k in 0..<depths.count { target[k * tileRows + i] = source[k * a.columnStride] }
                } else {
                    for k in 0..<depths.count { target[k * tileRows + i] = 0 }
                }
            }
            target += tileRows * depths.count
        }
    }

    /// Lays up to 32 columns out depth by depth, filled up with 0.
    private static func pack(
        columns: Range<Int>, _ depths: Range<Int>, of b: Matrix, into packed: UnsafeMutablePointer<Float>
    ) {
        if b.columnStride == 1 && columns.count == tileColumns {
            for k in 0..<depths.count {
                let source = UnsafeRawPointer(b.base + (depths.lowerBound + k) * b.rowStride + columns.lowerBound)
                let target = UnsafeMutableRawPointer(packed + k * tileColumns)
                target.storeBytes(of: source.loadUnaligned(as: Vector.self), as: Vector.self)
                target.storeBytes(
                    of: source.loadUnaligned(fromByteOffset: 64, as: Vector.self), toByteOffset: 64, as: Vector.self)
            }
            return
        }
        for j in 0..<tileColumns {
            guard j < columns.count else {
                for k in 0..<depths.count { packed[k * tileColumns + j] = 0 }
                continue
            }
            let source = b.base + depths.lowerBound * b.rowStride + (columns.lowerBound + j) * b.columnStride
            for k in 0..<depths.count { packed[k * tileColumns + j] = source[k * b.rowStride] }
        }
    }

    // MARK: - Micro-kernel

    /// One row of a tile.
    private struct Row {
        var left = Vector(repeating: 0)
        var right = Vector(repeating: 0)

        @inline(__always)
        mutating func add(_ factor: Float, _ columns: (Vector, Vector)) {
            let broadcast = Vector(repeating: factor)
            left.addProduct(broadcast, columns.0)
            right.addProduct(broadcast, columns.1)
        }
    }

    /// Adds the product of 12 packed rows and 32 packed columns to the tile at `c`, as far as it has rows and columns.
    private static func multiplyTile(
        _ rows: UnsafePointer<Float>, _ columns: UnsafePointer<Float>, _ depth: Int,
        into c: UnsafeMutablePointer<Float>, stride: Int, height: Int, width: Int
    ) {
        // Twelve named rows: the compiler keeps variables in registers, and not the elements of an array.
        var (r0, r1, r2, r3, r4, r5) = (Row(), Row(), Row(), Row(), Row(), Row())
        var (r6, r7, r8, r9, r10, r11) = (Row(), Row(), Row(), Row(), Row(), Row())
        var (a, b) = (rows, UnsafeRawPointer(columns))
        for _ in 0..<depth {
            let column = (b.load(as: Vector.self), b.load(fromByteOffset: 64, as: Vector.self))
            r0.add(a[0], column)
            r1.add(a[1], column)
            r2.add(a[2], column)
            r3.add(a[3], column)
            r4.add(a[4], column)
            r5.add(a[5], column)
            r6.add(a[6], column)
            r7.add(a[7], column)
            r8.add(a[8], column)
            r9.add(a[9], column)
            r10.add(a[10], column)
            r11.add(a[11], column)
            a += tileRows
            b += tileColumns * MemoryLayout<Float>.stride
        }
        store(r0, 0)
        store(r1, 1)
        store(r2, 2)
        store(r3, 3)
        store(r4, 4)
        store(r5, 5)
        store(r6, 6)
        store(r7, 7)
        store(r8, 8)
        store(r9, 9)
        store(r10, 10)
        store(r11, 11)

        @inline(__always)
        func store(_ row: Row, _ i: Int) {
            guard i < height else { return }
            let target = UnsafeMutableRawPointer(c + i * stride)
            if width == tileColumns {
                let left = target.loadUnaligned(as: Vector.self) + row.left
                let right = target.loadUnaligned(fromByteOffset: 64, as: Vector.self) + row.right
                target.storeBytes(of: left, as: Vector.self)
                target.storeBytes(of: right, toByteOffset: 64, as: Vector.self)
            } else {
                for j in 0..<width { c[i * stride + j] += j < 16 ? row.left[j] : row.right[j - 16] }
            }
        }
    }
}
