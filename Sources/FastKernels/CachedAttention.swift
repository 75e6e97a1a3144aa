import CInstructions
import Kernels
import Tensors

extension FastKernels {
    /// ``CachedAttention/Forward``: as ``flashAttentionForward(_:_:)``, but for one query packing the cache does not pay.
    @Sendable public static func cachedAttentionForward(_ a: CachedAttention.Forward<Float>, _ workers: Workers) {
        workers.forEach(a.B * a.NH) { task in
            let head = Head(a, task)
            let first = (task / a.NH * a.P + a.S) * a.C + task % a.NH * head.hs
            for t in 0..<a.T {
                let new = head.queries.line(t)
                (a.keyCache.base + first + t * a.C).update(from: new + a.C, count: head.hs)
                (a.valueCache.base + first + t * a.C).update(from: new + 2 * a.C, count: head.hs)
            }
            if a.T == 1 {
                head.attendOnce(into: a.out.base + head.start(of: 0..<1))
            } else {
                head.attend(into: a.out) { _, _ in }
            }
        }
    }
}

extension Head {
    /// out = softmax(scores) · v for one query, by keys and values where they lie.
    fileprivate func attendOnce(into out: UnsafeMutablePointer<Float>) {
        let (query, seen) = (queries.line(0), seen(by: 0))
        // A cache is seldom near, and the CPU does not foresee rows that lie so far apart.
        @inline(__always)
        func prefetch(_ factor: Factor, _ rows: Range<Int>) {
            for row in rows.clamped(to: 0..<seen) {
                for i in stride(from: 0, to: hs, by: 16) { plumbline_prefetch(factor.line(row) + i) }
            }
        }
        Scratch.with(seen) { memory in
            let weights = memory.base
            for s in 0..<seen {
                if s % 8 == 0 { prefetch(keys, s + 8..<s + 16) }
                let key = keys.line(s)
                @inline(__always)
                func product(_ i: Int, _ count: Int) -> Vector { (query + i).load(count) * (key + i).load(count) }
                weights[s] = sum(hs, product)
            }
            let (_, total) = exponentials(of: weights, seen, times: scale, into: weights)
            // By 16 values, and these in turn: a long chain would round more.
            for first in stride(from: 0, to: seen, by: 16) {
                prefetch(values, first + 16..<first + 32)
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
