import Foundation
import Kernels

extension ReferenceKernels {
    /// ``FlashAttention/Forward`` in plain loops.
    @specialized(where S == Float)
    @specialized(where S == Double)
    @Sendable public static func flashAttentionForward<S>(_ a: FlashAttention.Forward<S>) {
        let hs = a.C / a.NH
        let scale = 1 / Double(hs).squareRoot()
        var p = [Double](repeating: 0, count: a.T)
        var out = [Double](repeating: 0, count: hs)
        for b in 0..<a.B {
            for h in 0..<a.NH {
                for t in 0..<a.T {
                    let q = (b * a.T + t) * 3 * a.C + h * hs

                    var maximum = -Double.infinity
                    for t2 in 0...t {
                        let k = (b * a.T + t2) * 3 * a.C + a.C + h * hs
                        var dot = 0.0
                        for i in 0..<hs { dot += Double(a.inp[q + i]) * Double(a.inp[k + i]) }
                        p[t2] = scale * dot
                        maximum = max(maximum, p[t2])
                    }

                    var sum = 0.0
                    for t2 in 0...t { sum += exp(p[t2] - maximum) }
                    let lse = maximum + log(sum)
                    a.lse[(b * a.NH + h) * a.T + t] = S(lse)

                    for t2 in 0...t { p[t2] = exp(p[t2] - lse) }
                    for i in 0..<hs { out[i] = 0 }
                    for t2 in 0...t {
                        let v = (b * a.T + t2) * 3 * a.C + 2 * a.C + h * hs
                        for i in 0..<hs { out[i] += p[t2] * Double(a.inp[v + i]) }
                    }
                    for i in 0..<hs { a.out[(b * a.T + t) * a.C + h * hs + i] = S(out[i]) }
                }
            }
        }
    }

    /// ``FlashAttention/Backward`` in plain loops.
    @specialized(where S == Float)
    @specialized(where S == Double)
    @Sendable public static func flashAttentionBackward<S>(_ a: FlashAttention.Backward<S>) {
        let hs = a.C / a.NH
        let scale = 1 / Double(hs).squareRoot()
        // Those of one head, in double: a key's gradient is a sum over all rows.
        var att = [Double](repeating: 0, count: a.T * a.T)
        var ds = att
        for b in 0..<a.B {
            for h in 0..<a.NH {
                for t in 0..<a.T {
                    let q = (b * a.T + t) * 3 * a.C + h * hs
                    let out = (b * a.T + t) * a.C + h * hs
                    let lse = Double(a.lse[(b * a.NH + h) * a.T + t])

                    var expectation = 0.0
                    for i in 0..<hs { expectation += Double(a.dout[out + i]) * Double(a.out[out + i]) }
                    for t2 in 0...t {
                        let k = (b * a.T + t2) * 3 * a.C + a.C + h * hs
                        let v = k + a.C
                        var dot = 0.0
                        var datt = 0.0
                        for i in 0..<hs {
                            dot += Double(a.inp[q + i]) * Double(a.inp[k + i])
                            datt += Double(a.dout[out + i]) * Double(a.inp[v + i])
                        }
                        att[t * a.T + t2] = exp(scale * dot - lse)
                        ds[t * a.T + t2] = att[t * a.T + t2] * (datt - expectation)
                    }

                    for i in 0..<hs {
                        var dq = 0.0
                        for t2 in 0...t {
                            let k = (b * a.T + t2) * 3 * a.C + a.C + h * hs
                            dq += ds[t * a.T + t2] * Double(a.inp[k + i])
                        }
                        a.dinp[q + i] = S(Double(a.dinp[q + i]) + scale * dq)
                    }
                }
                for t2 in 0..<a.T {
                    let k = (b * a.T + t2) * 3 * a.C + a.C + h * hs
                    let v = k + a.C
                    for i in 0..<hs {
                        var dk = 0.0
                        var dv = 0.0
                        for t in t2..<a.T {
                            dk += ds[t * a.T + t2] * Double(a.inp[(b * a.T + t) * 3 * a.C + h * hs + i])
                            dv += att[t * a.T + t2] * Double(a.dout[(b * a.T + t) * a.C + h * hs + i])
                        }
                        a.dinp[k + i] = S(Double(a.dinp[k + i]) + scale * dk)
                        a.dinp[v + i] = S(Double(a.dinp[v + i]) + dv)
                    }
                }
            }
        }
    }
}
