import Foundation
import Kernels

extension ReferenceKernels {
    /// ``Classifier/Forward`` in plain loops.
    @specialized(where S == Float)
    @specialized(where S == Double)
    @Sendable public static func classifierForward<S>(_ a: Classifier.Forward<S>) {
        for row in 0..<a.B * a.T {
            let start = row * a.Vp
            var maximum = -Double.infinity
            for v in 0..<a.V { maximum = max(maximum, Double(a.logits[start + v])) }
            var sum = 0.0
            for v in 0..<a.V { sum += exp(Double(a.logits[start + v]) - maximum) }
            let lse = maximum + log(sum)
            a.losses[row] = S(lse - Double(a.logits[start + Int(a.targets[row])]))
            a.lse[row] = S(lse)
        }
    }

    /// ``Classifier/Backward`` in plain loops.
    @specialized(where S == Float)
    @specialized(where S == Double)
    @Sendable public static func classifierBackward<S>(_ a: Classifier.Backward<S>) {
        for row in 0..<a.B * a.T {
            let lse = Double(a.lse[row])
            let dloss = Double(a.dlosses[row])
            for v in 0..<a.Vp {
                // Read before it is written: the two may share their place.
                let excess = exp(Double(a.logits[row * a.Vp + v]) - lse) - (v == Int(a.targets[row]) ? 1 : 0)
                a.dlogits[row * a.Vp + v] = v < a.V ? S(excess * dloss) : 0
            }
        }
    }
}
