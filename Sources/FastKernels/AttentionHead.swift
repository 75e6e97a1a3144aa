import Kernels
import Tensors

/// One head of one sequence: where its queries, keys and values lie, and the products with them.
struct Head: Sendable {
    /// The queries, and what the last of them sees; each a line of hs elements.
    let queries, keys, values: Factor
    /// The place of the first query in inp, and of its output in out.
    private let first, firstOut: Int
    /// The number of queries, and of keys before that of the first.
    let T, S: Int
    let C, hs: Int
    /// 1/√hs
    let scale: Float

    /// Head number `task`, of B · NH, with keys and values of its own.
    init(_ inp: View<Float>, _ task: Int, T: Int, C: Int, NH: Int) {
        self.init(inp, task, T: T, S: 0, C: C, NH: NH) { first in
            (inp.from(first + C), inp.from(first + 2 * C), 3 * C)
        }
    }

    /// Head number `task`, of B · NH, with those of the caches.
    init(_ a: CachedAttention.Forward<Float>, _ task: Int) {
        self.init(a.inp, task, T: a.T, S: a.S, C: a.C, NH: a.NH) { _ in
            let first = task / a.NH * a.P * a.C + task % a.NH * (a.C / a.NH)
            return (View(a.keyCache).from(first), View(a.valueCache).from(first), a.C)
        }
    }

    private init(
        _ inp: View<Float>, _ task: Int, T: Int, S: Int, C: Int, NH: Int,
        _ others: (_ first: Int) -> (keys: View<Float>, values: View<Float>, stride: Int)
    ) {
        (self.T, self.S, self.C, hs) = (T, S, C, C / NH)
        first = task / NH * T * 3 * C + task % NH * hs
        firstOut = task / NH * T * C + task % NH * hs
        scale = Float(1 / Double(hs).squareRoot())
        let others = others(first)
        queries = .rows(of: inp.from(first), 3 * C)
        keys = .rows(of: others.keys, others.stride)
        values = .rows(of: others.values, others.stride)
    }

    /// The queries, block by block.
    var blocks: some RandomAccessCollection<Range<Int>> {
        let (T, size) = (T, FastKernels.attentionBlock)
        return (0..<(T + size - 1) / size).lazy.map { $0 * size..<min(($0 + 1) * size, T) }
    }

    /// The place in out of the block's first row.
    func start(of rows: Range<Int>) -> Int { firstOut + rows.lowerBound * C }

    /// From row to row of scores: lines that were a multiple of 4 KiB apart would drive each other from the first-level cache.
    var scoreStride: Int { (S + T).rounded(up: 16) + 16 }

    /// How many keys query t sees.
    func seen(by t: Int) -> Int { S + t + 1 }

    // MARK: - Products

    /// Runs `body` with room for that many factors of its own, packed by ``columns(_:in:)`` and ``depths(_:in:)``, and that
    /// many blocks of ``scores(in:)``.
    @inline(__always)
    func withRoom(forPacked factors: Int, scores blocks: Int, _ body: (inout UnsafeMutablePointer<Float>) -> Void) {
        let each = max(Product.Panels.room(S + T, depth: hs), Product.Panels.room(hs, depth: S + T))
        Scratch.with(factors * each + blocks * FastKernels.attentionBlock * scoreStride) { memory in
            var next = memory.base
            body(&next)
        }
    }

    /// Keys or values as columns: one for each key.
    func columns(_ factor: Factor, in memory: inout UnsafeMutablePointer<Float>) -> Product.Panels {
        Product.Panels(factor, S + T, depth: hs, into: &memory)
    }

    /// Keys or values as rows: a depth for each key.
    func depths(_ factor: Factor, in memory: inout UnsafeMutablePointer<Float>) -> Product.Panels {
        Product.Panels(factor.transposed, hs, depth: S + T, into: &memory)
    }

    /// Room for the scores of a block of rows, ``scoreStride`` apart.
    func scores(in memory: inout UnsafeMutablePointer<Float>) -> MutableView<Float> {
        let count = FastKernels.attentionBlock * scoreStride
        defer { memory += count }
        return MutableView(memory, count: count)
    }

    /// Sets to 0 what query t does not see, as far as the last of the rows does.
    func clearUnseen(_ weights: UnsafeMutablePointer<Float>, by t: Int, of rows: Range<Int>) {
        (weights + seen(by: t)).update(repeating: 0, count: rows.upperBound - t - 1)
    }

    /// How many keys the last row of a tile sees: what lies above the diagonal is computed to the end of a tile, and not used.
    private func seen(by tile: Range<Int>, of rows: Range<Int>) -> Int {
        seen(by: rows.lowerBound + tile.upperBound - 1)
    }

    /// scores = lines · columns, for the keys that each row sees: q · kᵀ, or dout · vᵀ.
    func multiply(_ rows: Range<Int>, _ lines: Factor, _ columns: Product.Panels, into scores: MutableView<Float>) {
        Product.multiply(
            scores.base, stride: scoreStride, rows: rows.count,
            RowFactors(base: lines.line(0), line: lines.lineStride, step: 1), columns, accumulates: false
        ) { (seen(by: $0, of: rows), 0..<hs) }
    }

    /// out = weights · depths, or added to it, over the keys that each row sees; weights beyond are 0: probabilities · v, or
    /// gradients of scores · k.
    func mix(
        _ rows: Range<Int>, _ weights: MutableView<Float>, _ depths: Product.Panels, into out: MutableView<Float>,
        stride: Int, accumulates: Bool = false
    ) {
        Product.multiply(
            out.base, stride: stride, rows: rows.count, RowFactors(base: weights.base, line: scoreStride, step: 1),
            depths, accumulates: accumulates
        ) { (hs, 0..<seen(by: $0, of: rows)) }
    }

    /// out = weightsᵀ · lines, or added to it: a row for each key that one of the rows sees, over the rows that see it.
    private func gather(
        _ rows: Range<Int>, _ weights: MutableView<Float>, _ lines: Factor, into out: MutableView<Float>,
        accumulates: Bool
    ) {
        Scratch.with(Product.Panels.room(hs, depth: rows.count)) { memory in
            var memory = memory.base
            let lines = Product.Panels(lines.transposed, hs, depth: rows.count, into: &memory)
            Product.multiply(
                out.base, stride: 3 * C, rows: seen(by: rows.upperBound - 1),
                RowFactors(base: weights.base, line: 1, step: scoreStride), lines, accumulates: accumulates
            ) { (hs, max($0.lowerBound - S - rows.lowerBound, 0)..<rows.count) }
        }
    }

    /// dq of the rows, and what they add to dk and dv of all that they see, which lie beside the queries; `scores` are
    /// their gradients, times the scale. What has not been `begun` is overwritten.
    func addGradients(
        _ rows: Range<Int>, probabilities: MutableView<Float>, scores: MutableView<Float>, _ dout: Factor,
        _ keys: Product.Panels, to dinp: MutableView<Float>, begun: (queries: Bool, rest: Bool)
    ) {
        mix(
            rows, scores, keys, into: dinp.from(first + rows.lowerBound * 3 * C), stride: 3 * C,
            accumulates: begun.queries)
        gather(rows, scores, queries.from(rows.lowerBound), into: dinp.from(first + C), accumulates: begun.rest)
        gather(rows, probabilities, dout, into: dinp.from(first + 2 * C), accumulates: begun.rest)
    }
}

extension View<Float> {
    /// The elements from `start` on.
    func from(_ start: Int) -> View { View(base + start, count: count - start) }
}

extension MutableView<Float> {
    /// The elements from `start` on.
    func from(_ start: Int) -> MutableView { MutableView(base + start, count: count - start) }
}
