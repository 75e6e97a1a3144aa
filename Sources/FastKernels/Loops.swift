import CInstructions
import Kernels
import Tensors

/// Calls `body` with the start and the count of each vector of `range`: all lanes, and fewer of the last.
///
/// A long body is best a local function to be inlined always: of a long closure the compiler makes a call for each vector.
@inline(__always)
func forEachVector(_ range: Range<Int>, _ body: (_ i: Int, _ count: Int) -> Void) {
    var i = range.lowerBound
    while i + lanes <= range.upperBound {
        body(i, lanes)
        i += lanes
    }
    if i < range.upperBound { body(i, range.upperBound - i) }
}

/// The same with two vectors a turn: for a body so short that the loop costs as much.
@inline(__always)
func forEachVectorByTwos(_ range: Range<Int>, _ body: (_ i: Int, _ count: Int) -> Void) {
    var i = range.lowerBound
    while i + 2 * lanes <= range.upperBound {
        body(i, lanes)
        body(i + lanes, lanes)
        i += 2 * lanes
    }
    forEachVector(i..<range.upperBound, body)
}

/// Writes `value` of each vector of `range` to `target`, by twos as above; past the caches if `streams`.
///
/// A line that no one has is fetched before it is written, and leaves the cache for nothing if the result is larger.
@inline(__always)
func write(
    _ range: Range<Int>, to target: UnsafeMutablePointer<Float>, streams: Bool,
    _ value: (_ i: Int, _ count: Int) -> Vector
) {
    guard streams else { return forEachVectorByTwos(range) { (target + $0).store(value($0, $1), $1) } }
    let beyond = Int(bitPattern: target + range.lowerBound) / MemoryLayout<Float>.size % lanes
    let start = beyond == 0 ? range.lowerBound : min(range.lowerBound + lanes - beyond, range.upperBound)
    var i = range.lowerBound
    while i < range.upperBound {
        let count = i < start ? start - i : min(lanes, range.upperBound - i)
        let vector = value(i, count)
        if count == lanes { vector.stream(to: target + i) } else { vector.store(to: target + i, first: count) }
        i += count
    }
    plumbline_fence()
}

/// Whether so many elements are more than 32 MiB, the last-level cache that cores of Zen 3 to 5 share.
///
/// The C library cannot be asked: on such a CPU it names ten times that, the caches of cores far away.
func exceedsCache(_ count: Int) -> Bool { count * MemoryLayout<Float>.size > 32 << 20 }

/// The sum of `term` over the vectors below `count`, whose lanes beyond the last element must be 0.
@inline(__always)
func sum(_ count: Int, _ term: (_ i: Int, _ count: Int) -> Vector) -> Float {
    sums(count) { [term($0, $1)] }[0]
}

/// The sums of `n` terms over the vectors below `count`, whose lanes beyond the last element must be 0.
///
/// Four chains hide the latency of an addition, and round less than one.
@inline(__always)
func sums<let n: Int>(
    _ count: Int, _ terms: (_ i: Int, _ count: Int) -> InlineArray<n, Vector>
) -> InlineArray<n, Float> {
    let zero = InlineArray<n, Vector>(repeating: Vector(repeating: 0))
    var chains = InlineArray<4, InlineArray<n, Vector>>(repeating: zero)
    @inline(__always)
    func add(_ i: Int, _ count: Int, to chain: Int) {
        let terms = terms(i, count)
        for term in 0..<n { chains[chain][term] += terms[term] }
    }
    var i = 0
    while i + 4 * lanes <= count {
        for chain in 0..<4 { add(i + chain * lanes, lanes, to: chain) }
        i += 4 * lanes
    }
    // One place for whole vectors and the last: of a term called in many places the compiler makes a function.
    while i < count {
        add(i, min(lanes, count - i), to: 0)
        i += lanes
    }
    var sums = InlineArray<n, Float>(repeating: 0)
    for term in 0..<n {
        sums[term] = ((chains[0][term] + chains[1][term]) + (chains[2][term] + chains[3][term])).laneSum()
    }
    return sums
}

extension Workers {
    /// Calls `body` with parts of `0..<count` that are worth a thread's while: at least `grain` elements, or all.
    @inline(__always)
    func forEachPart(_ count: Int, grain: Int = 1 << 14, _ body: @Sendable (Range<Int>) -> Void) {
        let parts = max(count / grain, 1)
        forEach(parts) { body(count * $0 / parts..<count * ($0 + 1) / parts) }
    }

    /// Calls `body` with each row, in groups that are worth a thread's while.
    @inline(__always)
    func forEachRow(_ rows: Int, of columns: Int, _ body: @Sendable (Int) -> Void) {
        forEachPart(rows, grain: max((1 << 13) / max(columns, 1), 1)) { for row in $0 { body(row) } }
    }

    /// Calls `body` with columns that are worth a thread's while, of a matrix of so many rows: whole cache lines of each,
    /// which no two threads then write.
    @inline(__always)
    func forEachStrip(of columns: Int, rows: Int, _ body: @Sendable (Range<Int>) -> Void) {
        let width = 4 * lanes
        forEachPart((columns + width - 1) / width, grain: max((1 << 16) / (rows * width), 1)) { strips in
            body(strips.lowerBound * width..<min(strips.upperBound * width, columns))
        }
    }

    /// Adds the sums over all rows to each column of `n` results, or sets it; `add` adds a row's terms.
    ///
    /// Columns are shared out, and rows never, so that the order of a sum does not depend on the threads. Rows are summed
    /// by fours, these by 16, and those in turn, which rounds less than one long chain.
    @inline(__always)
    func sumRows<let n: Int>(
        _ rows: Int, into results: InlineArray<n, MutableView<Float>>, overwrite: Bool,
        _ add: @Sendable (_ sums: inout InlineArray<n, Vector>, _ row: Int, _ column: Int, _ count: Int) -> Void
    ) {
        forEachStrip(of: results[0].count, rows: rows) { columns in
            for start in stride(from: 0, to: rows, by: 16) {
                forEachVector(columns) { column, count in
                    var sums = InlineArray<n, Vector>(repeating: Vector(repeating: 0))
                    for four in stride(from: start, to: min(start + 16, rows), by: 4) {
                        var part = InlineArray<n, Vector>(repeating: Vector(repeating: 0))
                        for row in four..<min(four + 4, rows) { add(&part, row, column, count) }
                        for i in 0..<n { sums[i] += part[i] }
                    }
                    for i in 0..<n {
                        let target = results[i].base + column
                        target.store(overwrite && start == 0 ? sums[i] : target.load(count) + sums[i], count)
                    }
                }
            }
        }
    }
}
