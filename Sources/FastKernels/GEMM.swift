import CInstructions
import Kernels
import Tensors

/// Matrix products by packed blocks: c[i][j] = initial + Σ_k a[i][k] · b[j][k].
///
/// Each element of a factor is packed once. The factor with fewer lines is packed first, by all threads; then each task
/// takes a chunk of the other's lines, packs it and multiplies it with all of the first.
///
/// Every element of c is summed in the same order, whatever the number of threads and wherever its tile lies: in chains of
/// 128 or 256 terms from first to last, then chain by chain.
///
/// Source: Goto and van de Geijn 2008, Anatomy of high-performance matrix multiplication; Van Zee and van de Geijn 2015,
/// BLIS.
enum GEMM<Tile: RegisterTile> {
    /// What the product is added to.
    enum Start {
        /// Nothing: c is overwritten.
        case zero
        /// What c holds.
        case accumulate
        /// A bias for each column.
        case bias(View<Float>)
    }

    // MARK: - Blocks

    /// The depth of a block: a panel of 16 columns is then 16 KiB, half of a first-level cache.
    private static var blockDepth: Int { 256 }
    /// The rows of a that stay in the second-level cache while the columns of a chunk run: 264 · 256 elements, 264 KiB.
    private static var blockRows: Int { 264 / Tile.rows * Tile.rows }
    /// The lines of a chunk: with its packed elements in the second-level cache, there is room for the rest.
    private static var chunkRows: Int { 96 }
    private static var chunkColumns: Int { 4 * Tile.columns }
    /// The elements of the factor that is packed first: 4 MiB of the last-level cache.
    private static var slabCount: Int { 1 << 20 }

    /// n terms in chains of k err by about √(n·k/2 + n²/2k) roundings: least where k is √n. Shorter ones cost visits to c.
    static func chain(of depth: Int) -> Int { depth > 8192 ? 256 : depth > 64 ? 128 : 32 }

    /// c = start + a · bᵀ, for `rows` rows of c that lie `stride` apart.
    static func multiply(
        _ c: MutableView<Float>, stride cStride: Int, rows: Int, columns: Int, depth: Int, _ a: Factor, _ b: Factor,
        _ start: Start, _ workers: Workers = .one
    ) {
        let sharesRows = rows <= columns
        let (shared, own) = sharesRows ? (a, b) : (b, a)
        let (sharedWidth, ownWidth) = sharesRows ? (Tile.rows, Tile.columns) : (Tile.columns, Tile.rows)
        let (sharedCount, ownCount) = sharesRows ? (rows, columns) : (columns, rows)

        let chain = chain(of: depth)
        let blocks = (depth + blockDepth - 1) / blockDepth
        let blockDepth = min((depth + blocks - 1) / max(blocks, 1), blockDepth)
        let slabLines = min(sharedCount.rounded(up: sharedWidth), slabCount / blockDepth / sharedWidth * sharedWidth)
        let slabDepth = max(slabCount / slabLines / blockDepth, 1) * blockDepth
        // Chunks are fewer lines where there would not be four for each of several threads.
        let ownPanels = (ownCount + ownWidth - 1) / ownWidth
        let fairPanels = workers.count == 1 ? ownPanels : ownPanels / (4 * workers.count)
        let chunk = min(max(fairPanels, 1), (sharesRows ? chunkColumns : chunkRows) / ownWidth) * ownWidth

        @Sendable func ownLines(of task: Int) -> Range<Int> {
            (task * chunk..<(task + 1) * chunk).clamped(to: 0..<ownCount)
        }

        Scratch.with(slabLines * min(slabDepth, depth)) { slab in
            for line in stride(from: 0, to: sharedCount, by: slabLines) {
                let lines = line..<min(line + slabLines, sharedCount)
                for k in stride(from: 0, to: depth, by: slabDepth) {
                    let depths = k..<min(k + slabDepth, depth)
                    pack(shared, lines, depths, asRows: sharesRows, width: sharedWidth, blockDepth, into: slab, workers)
                    @Sendable func block(from k: Int) -> Range<Int> { (k..<k + blockDepth).clamped(to: depths) }
                    workers.forEach((ownCount + chunk - 1) / chunk) { task in
                        let ownRange = ownLines(of: task)
                        Scratch.with(chunk * blockDepth) { packed in
                            let packed = packed.base
                            var slab = slab.base
                            for k in stride(from: depths.lowerBound, to: depths.upperBound, by: blockDepth) {
                                let current = block(from: k)
                                // The other threads take the tasks between.
                                var prefetch =
                                    current.upperBound < depths.upperBound
                                    ? Prefetch(own, ownRange, block(from: current.upperBound))
                                    : Prefetch(own, ownLines(of: task + workers.count), block(from: depths.lowerBound))
                                pack(own, ownRange, current, asRows: !sharesRows, into: packed)
                                product(
                                    sharesRows ? slab : packed, sharesRows ? packed : slab, depth: current.count,
                                    chain: chain,
                                    rows: sharesRows ? lines : ownRange, columns: sharesRows ? ownRange : lines,
                                    into: c.base, stride: cStride, k == 0 ? start : .accumulate, &prefetch)
                                slab += lines.count.rounded(up: sharedWidth) * current.count
                            }
                        }
                    }
                }
            }
        }
    }

    /// Packs a slab, block of depth by block, in groups of panels that are worth a task.
    private static func pack(
        _ factor: Factor, _ lines: Range<Int>, _ depths: Range<Int>, asRows: Bool, width: Int,
        _ blockDepth: Int, into slab: MutableView<Float>, _ workers: Workers
    ) {
        let group = 4 * width
        let groups = (lines.count + group - 1) / group
        let blocks = (depths.count + blockDepth - 1) / blockDepth
        workers.forEach(groups * blocks) { task in
            let first = lines.lowerBound + task % groups * group
            let k = depths.lowerBound + task / groups * blockDepth
            let block = k..<min(k + blockDepth, depths.upperBound)
            let target = slab.base + lines.count.rounded(up: width) * (k - depths.lowerBound)
            pack(
                factor, first..<min(first + group, lines.upperBound), block, asRows: asRows,
                into: target + (first - lines.lowerBound) * block.count)
        }
    }

    /// Packs panels of a tile's rows or columns.
    private static func pack(
        _ factor: Factor, _ lines: Range<Int>, _ depths: Range<Int>, asRows: Bool,
        into target: UnsafeMutablePointer<Float>
    ) {
        if asRows {
            factor.pack(lines, depths, width: Tile.rows, into: target)
        } else {
            factor.pack(lines, depths, width: Tile.columns, into: target)
        }
    }

    /// The product of packed rows and columns over one block of the depth.
    private static func product(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, depth: Int, chain: Int, rows: Range<Int>,
        columns: Range<Int>, into c: UnsafeMutablePointer<Float>, stride: Int, _ start: Start,
        _ prefetch: inout Prefetch
    ) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: Tile.rows * Tile.columns) { memory in
            guard let held = memory.baseAddress else { return }
            for first in Swift.stride(from: rows.lowerBound, to: rows.upperBound, by: blockRows) {
                let block = first..<min(first + blockRows, rows.upperBound)
                for j in Swift.stride(from: columns.lowerBound, to: columns.upperBound, by: Tile.columns) {
                    for i in Swift.stride(from: block.lowerBound, to: block.upperBound, by: Tile.rows) {
                        let target = c + i * stride + j
                        let (initial, initialStride): (UnsafePointer<Float>?, Int) =
                            switch start {
                            case .zero: (nil, 0)
                            case .accumulate: (UnsafePointer(target), stride)
                            case .bias(let bias): (bias.base + j, 0)
                            }
                        prefetch.advance()
                        multiply(
                            RowFactors(base: a + (i - rows.lowerBound) * depth, line: 1, step: Tile.rows),
                            b + (j - columns.lowerBound) * depth, depth: depth, chain: chain, into: target,
                            stride: stride, initial: initial, initialStride: initialStride,
                            rows: min(Tile.rows, block.upperBound - i),
                            columns: min(Tile.columns, columns.upperBound - j), held)
                    }
                }
            }
        }
    }

    /// One tile, chain by chain.
    ///
    /// - Parameter held: room for a tile. c's rows lie far apart: between chains the sums are kept where they are together.
    @inline(__always)
    static func multiply(
        _ a: RowFactors, _ b: UnsafePointer<Float>, depth: Int, chain: Int, into c: UnsafeMutablePointer<Float>,
        stride: Int, initial: UnsafePointer<Float>?, initialStride: Int, rows: Int, columns: Int,
        _ held: UnsafeMutablePointer<Float>
    ) {
        // So large a tile takes long: its place in c is fetched meanwhile. Of a small one that costs more than it saves.
        let holds = Tile.rows > 6 && depth > chain
        if holds {
            for row in 0..<rows {
                plumbline_prefetch_to_write(c + row * stride)
                plumbline_prefetch_to_write(c + row * stride + Tile.columns / 2)
            }
        }
        var (a, b, initial, initialStride) = (a, b, initial, initialStride)
        for k in Swift.stride(from: 0, to: depth, by: chain) {
            let isHeld = holds && k + chain < depth
            Tile.multiply(
                a, b, depth: min(chain, depth - k), into: isHeld ? held : c, stride: isHeld ? Tile.columns : stride,
                initial: initial, initialStride: initialStride, rows: rows, columns: columns)
            a += chain
            b += chain * Tile.columns
            (initial, initialStride) = isHeld ? (UnsafePointer(held), Tile.columns) : (UnsafePointer(c), stride)
        }
    }
}

extension Int {
    /// The least multiple of `unit` that is not below.
    func rounded(up unit: Int) -> Int { (self + unit - 1) / unit * unit }
}
