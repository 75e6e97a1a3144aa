import Foundation
import Kernels
import Tensors

/// As ``attentionForward(_:_:)``, but a block's scores are scratch, and backward computes them again.
extension FastKernels {
    /// ``FlashAttention/Forward``.
    @Sendable public static func flashAttentionForward(_ a: FlashAttention.Forward<Float>, _ workers: Workers) {
        workers.forEach(a.B * a.NH) { task in
            let head = Head(a.inp, task, T: a.T, C: a.C, NH: a.NH)
            head.attend(into: a.out) { t, lse in a.lse[task * a.T + t] = Float(lse) }
        }
    }

    /// ``FlashAttention/Backward``: the last rows first, which see all keys and so overwrite their gradients.
    @Sendable public static func flashAttentionBackward(_ a: FlashAttention.Backward<Float>, _ workers: Workers) {
        let overwrites = a.overwrites.contains(.activations)
        workers.forEach(a.B * a.NH) { task in
            let head = Head(a.inp, task, T: a.T, C: a.C, NH: a.NH)
            let stride = head.scoreStride
            head.withRoom(forPacked: 3, scores: 2) { memory in
                let (keys, keyDepths) = (head.columns(head.keys, in: &memory), head.depths(head.keys, in: &memory))
                let values = head.columns(head.values, in: &memory)
                let (att, ds) = (head.scores(in: &memory), head.scores(in: &memory))
                for rows in head.blocks.reversed() {
                    let place = head.start(of: rows)
                    let (dout, out) = (a.dout.from(place), a.out.from(place))
                    head.multiply(rows, head.queries.from(rows.lowerBound), keys, into: att)
                    head.multiply(rows, .rows(of: dout, a.C), values, into: ds)
                    for (row, t) in rows.enumerated() {
                        let (p, d) = (att.base + row * stride, ds.base + row * stride)
                        let lse = Vector(repeating: a.lse[task * a.T + t])
                        let expectation = Vector(
                            repeating: sum(a.C / a.NH) {
                                (dout.base + row * a.C + $0).load($1) * (out.base + row * a.C + $0).load($1)
                            })
                        let scale = Vector(repeating: head.scale)
                        forEachVector(0..<t + 1) { i, count in
                            let probability = exp((p + i).load(count) * scale - lse)
                            (p + i).store(probability, count)
                            (d + i).store(probability * ((d + i).load(count) - expectation) * scale, count)
                        }
                        head.clearUnseen(p, by: t, of: rows)
                        head.clearUnseen(d, by: t, of: rows)
                    }
                    let isFirst = rows.upperBound == a.T
                    head.addGradients(
                        rows, probabilities: att, scores: ds, .rows(of: dout, a.C), keyDepths, to: a.dinp,
                        begun: (!overwrites, !overwrites || !isFirst))
                }
            }
        }
    }
}

extension Head {
    /// out = softmax(scores) · v, by blocks of queries; `body` is given each query's logarithm of the sum of exponentials.
    @inline(__always)
    func attend(into out: MutableView<Float>, _ body: (_ t: Int, _ lse: Double) -> Void) {
        let stride = scoreStride
        withRoom(forPacked: 2, scores: 1) { memory in
            let (keys, values) = (columns(keys, in: &memory), depths(values, in: &memory))
            let scores = scores(in: &memory)
            withUnsafeTemporaryAllocation(of: Double.self, capacity: FastKernels.attentionBlock) { sums in
                for rows in blocks {
                    multiply(rows, queries.from(rows.lowerBound), keys, into: scores)
                    for (i, t) in rows.enumerated() {
                        let row = scores.base + i * stride
                        let (maximum, sum) = exponentials(of: row, seen(by: t), times: scale, into: row)
                        clearUnseen(row, by: t, of: rows)
                        sums[i] = sum
                        body(t, Double(maximum) + log(sum))
                    }
                    // A row of out is shorter than one of probabilities: it is what is divided.
                    let out = out.from(start(of: rows))
                    mix(rows, scores, values, into: out, stride: C)
                    for i in 0..<rows.count { divide(out.base + i * C, hs, by: sums[i]) }
                }
            }
        }
    }
}
