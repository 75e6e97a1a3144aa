import Kernels
import Tensors

extension FastKernels {
    /// ``CachedAttention/Forward``: as ``flashAttentionForward(_:_:)``; a few queries one by one, for which packing the
    /// cache would not pay. A head of a text is a task.
    @Sendable public static func cachedAttentionForward(_ a: CachedAttention.Forward<Float>, _ workers: Workers) {
        workers.forEach(a.B * a.NH) { task in
            let head = Head(a, task)
            for t in 0..<a.T {
                let new = head.queries.line(t)
                let place = task / a.NH * a.P * a.C + (a.S + t) * a.C + task % a.NH * head.hs
                (a.keyCache.base + place).update(from: new + a.C, count: head.hs)
                (a.valueCache.base + place).update(from: new + 2 * a.C, count: head.hs)
            }
            if a.T < fewestPacked {
                for t in 0..<a.T { head.attend(t, into: a.out.from(head.start(of: t..<t + 1)).base) }
            } else {
                head.attend(into: a.out) { _, _ in }
            }
        }
    }

    /// The queries from which on packing keys and values pays.
    private static let fewestPacked = 4
}

extension Head {
    /// out = softmax(scores) · v for query t, by reading each key and value once where it lies.
    fileprivate func attend(_ t: Int, into out: UnsafeMutablePointer<Float>) {
        let (query, seen) = (queries.line(t), seen(by: t))
        Scratch.with(seen) { memory in
            let weights = memory.base
            for s in 0..<seen {
                let key = keys.line(s)
                weights[s] = sum(hs) { (query + $0).load($1) * (key + $0).load($1) }
            }
            let (_, total) = exponentials(of: weights, seen, times: scale, into: weights)
            // By 16 values, and these in turn: a long chain would round more.
            for first in stride(from: 0, to: seen, by: 16) {
                forEachVector(0..<hs) { i, count in
                    var sum = Vector(repeating: 0)
                    for s in first..<min(first + 16, seen) {
                        sum = sum.plus((values.line(s) + i).load(count), times: Vector(repeating: weights[s]))
                    }
                    (out + i).store(first == 0 ? sum : (out + i).load(count) + sum, count)
                }
            }
            divide(out, hs, by: total)
        }
    }
}
