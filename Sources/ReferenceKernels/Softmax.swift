import Foundation
import Kernels

extension ReferenceKernels {
    /// ``Softmax/Forward`` in plain loops.
    @specialized(where S == Float)
    @specialized(where S == Double)
    @Sendable public static func softmaxForward<S>(_ a: Softmax.Forward<S>) {
        for row in 0..<a.B * a.T {
            let start = row * a.Vp
            var maximum = -Double.infinity
            for v in 0..<a.V { maximum = max(maximum, Double(a.logits[start + v])) }
            var sum = 0.0
            for v in 0..<a.V { sum += exp(Double(a.logits[start + v]) - maximum) }
            for v in 0..<a.Vp {
                a.probs[start + v] = v < a.V ? S(exp(Double(a.logits[start + v]) - maximum) / sum) : 0
            }
        }
    }
}
