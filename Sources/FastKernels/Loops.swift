import Kernels
import Tensors

/// Calls `body` with the start and the count of each vector of `range`: all lanes, and fewer of the last.
@inline(__always)
func forEachVector(_ range: Range<Int>, _ body: (_ i: Int, _ count: Int) -> Void) {
    var i = range.lowerBound
    while i + lanes <= range.upperBound {
        body(i, lanes)
        i += lanes
    }
    if i < range.upperBound { body(i, range.upperBound - i) }
}

/// The sum of `term` over the vectors below `count`, whose lanes beyond the last element must be 0.
///
/// Four chains hide the latency of an addition, and round less than one.
@inline(__always)
func sum(_ count: Int, _ term: (_ i: Int, _ count: Int) -> Vector) -> Float {
    var sums = InlineArray<4, Vector>(repeating: Vector(repeating: 0))
    var i = 0
    while i + 4 * lanes <= count {
        for j in 0..<4 { sums[j] += term(i + j * lanes, lanes) }
        i += 4 * lanes
    }
    forEachVector(i..<count) { sums[0] += term($0, $1) }
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])).sum()
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

    /// Adds the sum of `term` over all rows to each column of `sums`, or sets it.
    ///
    /// Columns are shared out, and rows never, so that the order of a sum does not depend on the threads: the sums of 16
    /// rows are summed in turn, which rounds less than one long chain.
    @inline(__always)
    func sumRows(
        _ rows: Int, into sums: MutableView<Float>, overwrite: Bool,
        _ term: @Sendable (_ row: Int, _ column: Int, _ count: Int) -> Vector
    ) {
        let width = 4 * lanes
        let strips = (sums.count + width - 1) / width
        forEachPart(strips, grain: max((1 << 16) / (rows * width), 1)) { strips in
            for start in stride(from: 0, to: rows, by: 16) {
                let block = start..<min(start + 16, rows)
                @inline(__always)
                func add(_ sum: Vector, _ column: Int, _ count: Int) {
                    let target = sums.base + column
                    target.store(overwrite && start == 0 ? sum : target.load(count) + sum, count)
                }
                for strip in strips {
                    let first = strip * width
                    if first + width <= sums.count {
                        var part = InlineArray<4, Vector>(repeating: Vector(repeating: 0))
                        for row in block {
                            for j in 0..<4 { part[j] += term(row, first + j * lanes, lanes) }
                        }
                        for j in 0..<4 { add(part[j], first + j * lanes, lanes) }
                    } else {
                        forEachVector(first..<sums.count) { column, count in
                            var part = Vector(repeating: 0)
                            for row in block { part += term(row, column, count) }
                            add(part, column, count)
                        }
                    }
                }
            }
        }
    }
}
