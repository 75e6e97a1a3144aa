import Foundation
import Kernels

extension FastKernels {
    /// ``CrossEntropy/Forward``: one logarithm for each row.
    @Sendable public static func crossentropyForward(_ a: CrossEntropy.Forward<Float>, _ workers: Workers) {
        for row in 0..<a.B * a.T {
            a.losses[row] = Float(-log(Double(a.probs[row * a.Vp + Int(a.targets[row])])))
        }
    }
}
