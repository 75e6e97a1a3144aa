import Foundation
import Kernels

extension ReferenceKernels {
    /// ``CachedAttention/Forward`` in plain loops.
    @specialized(where S == Float)
    @specialized(where S == Double)
    @Sendable public static func cachedAttentionForward<S>(_ a: CachedAttention.Forward<S>) {
        let hs = a.C / a.NH
        let scale = 1 / Double(hs).squareRoot()
        for b in 0..<a.B {
            for t in 0..<a.T {
                for i in 0..<a.C {
                    let place = (b * a.P + a.S + t) * a.C + i
                    a.keyCache[place] = a.inp[(b * a.T + t) * 3 * a.C + a.C + i]
                    a.valueCache[place] = a.inp[(b * a.T + t) * 3 * a.C + 2 * a.C + i]
                }
            }
        }

        var att = [Double](repeating: 0, count: a.S + a.T)
        for b in 0..<a.B {
            for h in 0..<a.NH {
                for t in 0..<a.T {
                    let q = (b * a.T + t) * 3 * a.C + h * hs

                    var maximum = -Double.infinity
                    for s in 0...a.S + t {
                        let k = (b * a.P + s) * a.C + h * hs
                        var dot = 0.0
                        for i in 0..<hs { dot += Double(a.inp[q + i]) * Double(a.keyCache[k + i]) }
                        att[s] = scale * dot
                        maximum = max(maximum, att[s])
                    }

                    var sum = 0.0
                    for s in 0...a.S + t {
                        att[s] = exp(att[s] - maximum)
                        sum += att[s]
                    }

                    for i in 0..<hs {
                        var out = 0.0
                        for s in 0...a.S + t { out += att[s] * Double(a.valueCache[(b * a.P + s) * a.C + h * hs + i]) }
                        a.out[(b * a.T + t) * a.C + h * hs + i] = S(out / sum)
                    }
                }
            }
        }
    }
}
