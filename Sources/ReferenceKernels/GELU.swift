import Foundation
import Kernels

extension ReferenceKernels {
    /// ``GELU/Forward`` in plain loops.
    @specialized(where S == Float)
    @specialized(where S == Double)
    @Sendable public static func geluForward<S>(_ a: GELU.Forward<S>) {
        for i in 0..<a.N {
            let x = Double(a.inp[i])
            let s = GELU.scale * (x + GELU.cubic * x * x * x)
            a.out[i] = S(0.5 * x * (1 + tanh(s)))
        }
    }

    /// ``GELU/Backward`` in plain loops.
    @specialized(where S == Float)
    @specialized(where S == Double)
    @Sendable public static func geluBackward<S>(_ a: GELU.Backward<S>) {
        for i in 0..<a.N {
            let x = Double(a.inp[i])
            let tanhS = tanh(GELU.scale * (x + GELU.cubic * x * x * x))
            let slope = GELU.scale * (1 + 3 * GELU.cubic * x * x)
            let gradient = 0.5 * (1 + tanhS) + 0.5 * x * (1 - tanhS * tanhS) * slope
            a.dinp[i] = S(Double(a.dinp[i]) + gradient * Double(a.dout[i]))
        }
    }
}
