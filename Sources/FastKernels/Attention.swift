import Kernels
import Tensors

/// Attention by blocks of rows, each a few matrix products; a head of a sequence is a task.
extension FastKernels {
    /// The rows of a block: whole tiles, and with a row of 1,024 scores each, a part of the second-level cache.
    static let attentionBlock = 72

    /// ``Attention/Forward``.
    @Sendable public static func attentionForward(_ a: Attention.Forward<Float>, _ workers: Workers) {
        workers.forEach(a.B * a.NH) { task in
            let head = Head(a.inp, task, T: a.T, C: a.C, NH: a.NH)
            let (preatt, att) = (a.preatt.from(task * a.T * a.T), a.att.from(task * a.T * a.T))
            let stride = head.scoreStride
            head.withPanels { panels in
                Scratch.with(attentionBlock * stride) { scores in
                    for rows in head.blocks {
                        head.score(rows, panels, into: scores, stride: stride)
                        for (i, t) in rows.enumerated() {
                            let row = scores.base + i * stride
                            scale(row, t + 1, by: head.scale)
                            (preatt.base + t * a.T).update(from: row, count: t + 1)
                            let (_, sum) = exponentials(of: row, t + 1, into: row)
                            divide(row, t + 1, by: sum)
                            let probabilities = att.base + t * a.T
                            probabilities.update(from: row, count: t + 1)
                            (probabilities + t + 1).update(repeating: 0, count: a.T - t - 1)
                            (row + t + 1).update(repeating: 0, count: rows.upperBound - t - 1)
                        }
                        head.mix(
                            rows, View(scores), stride: stride, panels, into: a.out.from(head.start(of: rows)))
                    }
                }
            }
        }
    }

    /// ``Attention/Backward``.
    @Sendable public static func attentionBackward(_ a: Attention.Backward<Float>, _ workers: Workers) {
        workers.forEach(a.B * a.NH) { task in
            let head = Head(a.inp, task, T: a.T, C: a.C, NH: a.NH)
            let square = task * a.T * a.T
            let (att, datt, dpreatt) = (a.att.from(square), a.datt.from(square), a.dpreatt.from(square))
            let stride = head.scoreStride
            head.withBackwardPanels(scoresAgain: false) { panels in
                Scratch.with(2 * attentionBlock * stride) { memory in
                    let (weights, scores) = (memory, memory.from(attentionBlock * stride))
                    for rows in head.blocks {
                        let dout = a.dout.from(head.start(of: rows))
                        head.multiplyByValues(rows, dout, panels, into: scores, stride: stride)
                        // What stands above the diagonal is no gradient: the products below read copies.
                        for (i, t) in rows.enumerated() {
                            let (p, d, ds) = (att.base + t * a.T, datt.base + t * a.T, dpreatt.base + t * a.T)
                            let (weight, score) = (weights.base + i * stride, scores.base + i * stride)
                            let expectation = Vector(
                                repeating: sum(t + 1) { i, count in
                                    let gradient = (d + i).load(count) + (score + i).load(count)
                                    (d + i).store(gradient, count)
                                    let probability = (p + i).load(count)
                                    (weight + i).store(probability, count)
                                    return probability * gradient
                                })
                            forEachVector(0..<t + 1) { i, count in
                                let gradient = (ds + i).load(count)
                                    .plus((weight + i).load(count), times: (d + i).load(count) - expectation)
                                (ds + i).store(gradient, count)
                                (score + i).store(gradient * Vector(repeating: head.scale), count)
                            }
                            for copy in [weight, score] {
                                (copy + t + 1).update(repeating: 0, count: rows.upperBound - t - 1)
                            }
                        }
                        head.addGradients(
                            rows, probabilities: View(weights), scores: View(scores), stride: stride, dout, panels,
                            to: a.dinp, begun: (true, true))
                    }
                }
            }
        }
    }
}

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

    /// As far as rows of a block see keys: what lies above the diagonal is computed to the end of a tile, and not used.
    private func seen(by tile: Range<Int>, of rows: Range<Int>) -> Int {
        seen(by: rows.lowerBound + tile.upperBound - 1)
    }

    /// Keys or values as columns: one for each key.
    private func columns(_ factor: Factor, into memory: inout UnsafeMutablePointer<Float>) -> Product.Panels {
        Product.Panels(factor, S + T, depth: hs, into: &memory)
    }

    /// Keys or values as rows: a depth for each key.
    private func depths(_ factor: Factor, into memory: inout UnsafeMutablePointer<Float>) -> Product.Panels {
        Product.Panels(factor.transposed, hs, depth: S + T, into: &memory)
    }

    /// The room for that many factors, packed.
    private func room(_ factors: Int) -> Int {
        factors * max(Product.Panels.room(S + T, depth: hs), Product.Panels.room(hs, depth: S + T))
    }

    /// scores = lines · factorᵀ, for the keys that each row sees.
    private func multiply(
        _ rows: Range<Int>, _ lines: Factor, _ columns: Product.Panels, into scores: MutableView<Float>, stride: Int
    ) {
        Product.multiply(
            scores.base, stride: stride, rows: rows.count,
            RowFactors(base: lines.line(0), line: lines.lineStride, step: 1), columns, accumulates: false
        ) { (seen(by: $0, of: rows), 0..<hs) }
    }

    /// out = weights · factor, or added to it, over the keys that each row sees; weights beyond are 0.
    private func mix(
        _ rows: Range<Int>, _ weights: View<Float>, stride: Int, _ depths: Product.Panels,
        into out: MutableView<Float>, stride outStride: Int, accumulates: Bool = false
    ) {
        Product.multiply(
            out.base, stride: outStride, rows: rows.count, RowFactors(base: weights.base, line: stride, step: 1),
            depths, accumulates: accumulates
        ) { (hs, 0..<seen(by: $0, of: rows)) }
    }

    /// out = weightsᵀ · lines, or added to it: a row for each key that one of the rows sees, over the rows that see it.
    private func gather(
        _ rows: Range<Int>, _ weights: View<Float>, stride: Int, _ lines: Factor, into out: MutableView<Float>,
        accumulates: Bool
    ) {
        Scratch.with(Product.Panels.room(hs, depth: rows.count)) { memory in
            var memory = memory.base
            let lines = Product.Panels(lines.transposed, hs, depth: rows.count, into: &memory)
            Product.multiply(
                out.base, stride: 3 * C, rows: seen(by: rows.upperBound - 1),
                RowFactors(base: weights.base, line: 1, step: stride), lines, accumulates: accumulates
            ) { (hs, max($0.lowerBound - S - rows.lowerBound, 0)..<rows.count) }
        }
    }

    /// What forward multiplies with.
    struct ForwardPanels {
        fileprivate let keys, values: Product.Panels
    }

    /// Runs `body` with keys and values packed.
    @inline(__always)
    func withPanels(_ body: (ForwardPanels) -> Void) {
        Scratch.with(room(2)) { memory in
            var memory = memory.base
            body(ForwardPanels(keys: columns(keys, into: &memory), values: depths(values, into: &memory)))
        }
    }

    /// scores = q · kᵀ, for the keys that each row sees.
    func score(_ rows: Range<Int>, _ panels: ForwardPanels, into scores: MutableView<Float>, stride: Int) {
        multiply(rows, queries.from(rows.lowerBound), panels.keys, into: scores, stride: stride)
    }

    /// out = probabilities · v
    func mix(
        _ rows: Range<Int>, _ probabilities: View<Float>, stride: Int, _ panels: ForwardPanels,
        into out: MutableView<Float>
    ) {
        mix(rows, probabilities, stride: stride, panels.values, into: out, stride: C)
    }

    /// What backward multiplies with; keys as columns only where scores are computed again.
    struct BackwardPanels {
        fileprivate let keys, values: Product.Panels
        fileprivate let keyColumns: Product.Panels?
    }

    /// Runs `body` with keys and values packed.
    @inline(__always)
    func withBackwardPanels(scoresAgain: Bool, _ body: (BackwardPanels) -> Void) {
        Scratch.with(room(scoresAgain ? 3 : 2)) { memory in
            var memory = memory.base
            body(
                BackwardPanels(
                    keys: depths(keys, into: &memory), values: columns(values, into: &memory),
                    keyColumns: scoresAgain ? columns(keys, into: &memory) : nil))
        }
    }

    /// scores = q · kᵀ
    func score(_ rows: Range<Int>, _ panels: BackwardPanels, into scores: MutableView<Float>, stride: Int) {
        guard let columns = panels.keyColumns else { preconditionFailure("the keys were not packed as columns") }
        multiply(rows, queries.from(rows.lowerBound), columns, into: scores, stride: stride)
    }

    /// d = dout · vᵀ
    func multiplyByValues(
        _ rows: Range<Int>, _ dout: View<Float>, _ panels: BackwardPanels, into d: MutableView<Float>, stride: Int
    ) {
        multiply(rows, .rows(of: dout, C), panels.values, into: d, stride: stride)
    }

    /// dq of the rows, and what they add to dk and dv of all that they see, which lie beside the queries; `scores` are
    /// their gradients, times the scale. What has not been `begun` is overwritten.
    func addGradients(
        _ rows: Range<Int>, probabilities: View<Float>, scores: View<Float>, stride: Int, _ dout: View<Float>,
        _ panels: BackwardPanels, to dinp: MutableView<Float>, begun: (queries: Bool, rest: Bool)
    ) {
        mix(
            rows, scores, stride: stride, panels.keys, into: dinp.from(first + rows.lowerBound * 3 * C), stride: 3 * C,
            accumulates: begun.queries)
        gather(
            rows, scores, stride: stride, queries.from(rows.lowerBound), into: dinp.from(first + C),
            accumulates: begun.rest)
        gather(
            rows, probabilities, stride: stride, .rows(of: dout, C), into: dinp.from(first + 2 * C),
            accumulates: begun.rest)
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
