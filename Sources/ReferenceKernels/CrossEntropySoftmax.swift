import Kernels

extension ReferenceKernels {
    /// ``CrossEntropySoftmax/Backward`` in plain loops.
    @specialized(where S == Float)
    @specialized(where S == Double)
    @Sendable public static func crossentropySoftmaxBackward<S>(_ a: CrossEntropySoftmax.Backward<S>) {
        for row in 0..<a.B * a.T {
            let target = Int(a.targets[row])
            for v in 0..<a.V {
                let excess = a.probs[row * a.Vp + v] - (v == target ? 1 : 0)
                a.dlogits[row * a.Vp + v] += excess * a.dlosses[row]
            }
        }
    }
}
