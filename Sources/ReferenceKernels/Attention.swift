import Foundation
import Kernels

extension ReferenceKernels {
    /// ``Attention/Forward`` in plain loops.
    @specialized(where S == Float)
    @specialized(where S == Double)
    @Sendable public static func attentionForward<S>(_ a: Attention.Forward<S>) {
        let hs = a.C / a.NH
        let scale = 1 / Double(hs).squareRoot()
        var out = [Double](repeating: 0, count: hs)
        for b in 0..<a.B {
            for h in 0..<a.NH {
                for t in 0..<a.T {
                    let q = (b * a.T + t) * 3 * a.C + h * hs
                    let row = ((b * a.NH + h) * a.T + t) * a.T

                    var maximum = -Double.infinity
                    for t2 in 0...t {
                        let k = (b * a.T + t2) * 3 * a.C + a.C + h * hs
                        var dot = 0.0
                        for i in 0..<hs { dot += Double(a.inp[q + i]) * Double(a.inp[k + i]) }
                        let score = scale * dot
                        a.preatt[row + t2] = S(score)
                        maximum = max(maximum, Double(a.preatt[row + t2]))
                    }

                    var sum = 0.0
                    for t2 in 0...t { sum += exp(Double(a.preatt[row + t2]) - maximum) }
                    for t2 in 0..<a.T {
                        a.att[row + t2] = t2 <= t ? S(exp(Double(a.preatt[row + t2]) - maximum) / sum) : 0
                    }

                    for i in 0..<hs { out[i] = 0 }
                    for t2 in 0...t {
                        let v = (b * a.T + t2) * 3 * a.C + 2 * a.C + h * hs
                        for i in 0..<hs { out[i] += Double(a.att[row + t2]) * Double(a.inp[v + i]) }
                    }
                    for i in 0..<hs { a.out[(b * a.T + t) * a.C + h * hs + i] = S(out[i]) }
                }
            }
        }
    }

    /// ``Attention/Backward`` in plain loops.
    @specialized(where S == Float)
    @specialized(where S == Double)
    @Sendable public static func attentionBackward<S>(_ a: Attention.Backward<S>) {
        let hs = a.C / a.NH
        let scale = 1 / Double(hs).squareRoot()
        var (dq, dk, dv) = (
            [Double](repeating: 0, count: hs), [Double](repeating: 0, count: hs), [Double](repeating: 0, count: hs)
        )
        for b in 0..<a.B {
            for h in 0..<a.NH {
                for t in 0..<a.T {
                    let q = (b * a.T + t) * 3 * a.C + h * hs
                    let dout = (b * a.T + t) * a.C + h * hs
                    let row = ((b * a.NH + h) * a.T + t) * a.T

                    var expectation = 0.0
                    for t2 in 0...t {
                        let v = (b * a.T + t2) * 3 * a.C + 2 * a.C + h * hs
                        var dot = 0.0
                        for i in 0..<hs { dot += Double(a.dout[dout + i]) * Double(a.inp[v + i]) }
                        a.datt[row + t2] = S(Double(a.datt[row + t2]) + dot)
                        expectation += Double(a.att[row + t2]) * Double(a.datt[row + t2])
                    }
                    for t2 in 0...t {
                        let gradient = Double(a.att[row + t2]) * (Double(a.datt[row + t2]) - expectation)
                        a.dpreatt[row + t2] = S(Double(a.dpreatt[row + t2]) + gradient)
                    }
                    for i in 0..<hs { dq[i] = 0 }
                    for t2 in 0...t {
                        let k = (b * a.T + t2) * 3 * a.C + a.C + h * hs
                        for i in 0..<hs { dq[i] += Double(a.inp[k + i]) * Double(a.dpreatt[row + t2]) }
                    }
                    for i in 0..<hs { a.dinp[q + i] = S(Double(a.dinp[q + i]) + scale * dq[i]) }
                }
                for t2 in 0..<a.T {
                    let k = (b * a.T + t2) * 3 * a.C + a.C + h * hs
                    let v = k + a.C
                    for i in 0..<hs { (dk[i], dv[i]) = (0, 0) }
                    for t in t2..<a.T {
                        let entry = ((b * a.NH + h) * a.T + t) * a.T + t2
                        let q = (b * a.T + t) * 3 * a.C + h * hs
                        let dout = (b * a.T + t) * a.C + h * hs
                        for i in 0..<hs {
                            dk[i] += Double(a.inp[q + i]) * Double(a.dpreatt[entry])
                            dv[i] += Double(a.dout[dout + i]) * Double(a.att[entry])
                        }
                    }
                    for i in 0..<hs {
                        a.dinp[k + i] = S(Double(a.dinp[k + i]) + scale * dk[i])
                        a.dinp[v + i] = S(Double(a.dinp[v + i]) + dv[i])
                    }
                }
            }
        }
    }
}
