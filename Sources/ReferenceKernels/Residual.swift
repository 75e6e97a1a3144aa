import Kernels

extension ReferenceKernels {
    /// ``Residual/Forward`` in plain loops.
    @specialized(where S == Float)
    @specialized(where S == Double)
    @Sendable public static func residualForward<S>(_ a: Residual.Forward<S>) {
        for i in 0..<a.N { a.out[i] = a.inp1[i] + a.inp2[i] }
    }

    /// ``Residual/Backward`` in plain loops.
    @specialized(where S == Float)
    @specialized(where S == Double)
    @Sendable public static func residualBackward<S>(_ a: Residual.Backward<S>) {
        for i in 0..<a.N {
            a.dinp1[i] += a.dout[i]
            a.dinp2[i] += a.dout[i]
        }
    }
}
