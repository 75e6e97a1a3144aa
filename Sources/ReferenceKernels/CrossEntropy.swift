import Foundation
import Kernels

extension ReferenceKernels {
    /// ``CrossEntropy/Forward`` in plain loops.
    @specialized(where S == Float)
    @specialized(where S == Double)
    @Sendable public static func crossentropyForward<S>(_ a: CrossEntropy.Forward<S>) {
        for row in 0..<a.B * a.T {
            a.losses[row] = S(-log(Double(a.probs[row * a.Vp + Int(a.targets[row])])))
        }
    }
}
