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
            head.withRoom(forPacked: 2, scores: 1) { memory in
                let (keys, values) = (head.columns(head.keys, in: &memory), head.depths(head.values, in: &memory))
                let scores = head.scores(in: &memory)
                for rows in head.blocks {
                    head.multiply(rows, head.queries.from(rows.lowerBound), keys, into: scores)
                    for (i, t) in rows.enumerated() {
                        let row = scores.base + i * stride
                        scale(row, t + 1, by: head.scale)
                        (preatt.base + t * a.T).update(from: row, count: t + 1)
                        let (_, sum) = exponentials(of: row, t + 1, into: row)
                        divide(row, t + 1, by: sum)
                        head.clearUnseen(row, by: t, of: rows)
                        let probabilities = att.base + t * a.T
                        probabilities.update(from: row, count: t + 1)
                        (probabilities + t + 1).update(repeating: 0, count: a.T - t - 1)
                    }
                    head.mix(rows, scores, values, into: a.out.from(head.start(of: rows)), stride: a.C)
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
            head.withRoom(forPacked: 2, scores: 2) { memory in
                let (keys, values) = (head.depths(head.keys, in: &memory), head.columns(head.values, in: &memory))
                let (weights, scores) = (head.scores(in: &memory), head.scores(in: &memory))
                for rows in head.blocks {
                    let dout = Factor.rows(of: a.dout.from(head.start(of: rows)), a.C)
                    head.multiply(rows, dout, values, into: scores)
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
                        head.clearUnseen(weight, by: t, of: rows)
                        head.clearUnseen(score, by: t, of: rows)
                    }
                    head.addGradients(
                        rows, probabilities: weights, scores: scores, dout, keys, to: a.dinp, begun: (true, true))
                }
            }
        }
    }
}
