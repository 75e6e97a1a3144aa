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
            for rows in head.blocks {
                let corner = rows.lowerBound * a.T
                head.score(rows, into: preatt.from(corner), stride: a.T)
                for t in rows {
                    let (scores, probabilities) = (preatt.base + t * a.T, att.base + t * a.T)
                    scale(scores, t + 1, by: head.scale)
                    let (_, sum) = exponentials(of: scores, t + 1, into: probabilities)
                    divide(probabilities, t + 1, by: sum)
                    (probabilities + t + 1).update(repeating: 0, count: a.T - t - 1)
                }
                head.mix(rows, View(att.from(corner)), stride: a.T, into: a.out.from(head.start(of: rows)))
            }
        }
    }

    /// ``Attention/Backward``.
    @Sendable public static func attentionBackward(_ a: Attention.Backward<Float>, _ workers: Workers) {
        workers.forEach(a.B * a.NH) { task in
            let head = Head(a.inp, task, T: a.T, C: a.C, NH: a.NH)
            let square = task * a.T * a.T
            let (att, datt, dpreatt) = (a.att.from(square), a.datt.from(square), a.dpreatt.from(square))
            Scratch.with(attentionBlock * a.T) { scaled in
                for rows in head.blocks {
                    let corner = rows.lowerBound * a.T
                    let dout = a.dout.from(head.start(of: rows))
                    head.multiplyByValues(rows, dout, into: datt.from(corner), stride: a.T, .accumulate)
                    // What stands above the diagonal is no gradient: the products below read a copy.
                    for t in rows {
                        let (p, d) = (att.base + t * a.T, datt.base + t * a.T)
                        let (ds, copy) = (dpreatt.base + t * a.T, scaled.base + (t - rows.lowerBound) * a.T)
                        let expectation = Vector(repeating: sum(t + 1) { (p + $0).load($1) * (d + $0).load($1) })
                        forEachVector(0..<t + 1) { i, count in
                            let gradient = (ds + i).load(count)
                                .plus((p + i).load(count), times: (d + i).load(count) - expectation)
                            (ds + i).store(gradient, count)
                            (copy + i).store(gradient * Vector(repeating: head.scale), count)
                        }
                        (copy + t + 1).update(repeating: 0, count: rows.upperBound - t - 1)
                    }
                    head.addGradients(
                        rows, probabilities: att.from(corner), scores: View(scaled), stride: a.T, dout, to: a.dinp,
                        (.accumulate, .accumulate))
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

    /// How many keys query t sees.
    func seen(by t: Int) -> Int { S + t + 1 }

    /// How many keys one of the rows sees.
    private func seen(by rows: Range<Int>) -> Int { S + rows.upperBound }

    /// scores = q · kᵀ, for all keys that one of the rows sees.
    func score(_ rows: Range<Int>, into scores: MutableView<Float>, stride: Int) {
        Product.multiply(
            scores, stride: stride, rows: rows.count, columns: seen(by: rows), depth: hs,
            queries.from(rows.lowerBound), keys, .zero)
    }

    /// out = probabilities · v
    func mix(_ rows: Range<Int>, _ probabilities: View<Float>, stride: Int, into out: MutableView<Float>) {
        Product.multiply(
            out, stride: C, rows: rows.count, columns: hs, depth: seen(by: rows), .rows(of: probabilities, stride),
            values.transposed, .zero)
    }

    /// d = start + dout · vᵀ
    func multiplyByValues(
        _ rows: Range<Int>, _ dout: View<Float>, into d: MutableView<Float>, stride: Int, _ start: Product.Start
    ) {
        Product.multiply(
            d, stride: stride, rows: rows.count, columns: seen(by: rows), depth: hs, .rows(of: dout, C),
            values, start)
    }

    /// dq of the rows, and what they add to dk and dv of all that they see, which lie beside the queries; `scores` are
    /// their gradients, times the scale.
    func addGradients(
        _ rows: Range<Int>, probabilities: View<Float>, scores: View<Float>, stride: Int, _ dout: View<Float>,
        to dinp: MutableView<Float>, _ start: (queries: Product.Start, rest: Product.Start)
    ) {
        let seen = seen(by: rows)
        Product.multiply(
            dinp.from(first + rows.lowerBound * 3 * C), stride: 3 * C, rows: rows.count, columns: hs, depth: seen,
            .rows(of: scores, stride), keys.transposed, start.queries)
        Product.multiply(
            dinp.from(first + C), stride: 3 * C, rows: seen, columns: hs, depth: rows.count,
            .columns(of: scores, stride), queries.from(rows.lowerBound).transposed, start.rest)
        Product.multiply(
            dinp.from(first + 2 * C), stride: 3 * C, rows: seen, columns: hs, depth: rows.count,
            .columns(of: probabilities, stride), .columns(of: dout, C), start.rest)
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
