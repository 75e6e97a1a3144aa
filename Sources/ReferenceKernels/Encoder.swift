import Kernels

extension ReferenceKernels {
    /// ``Encoder/Forward`` in plain loops.
    @specialized(where S == Float)
    @specialized(where S == Double)
    @Sendable public static func encoderForward<S>(_ a: Encoder.Forward<S>) {
        for row in 0..<a.B * a.T {
            let token = Int(a.inp[row])
            for i in 0..<a.C {
                a.out[row * a.C + i] = a.wte[token * a.C + i] + a.wpe[row % a.T * a.C + i]
            }
        }
    }

    /// ``Encoder/Backward`` in plain loops.
    @specialized(where S == Float)
    @specialized(where S == Double)
    @Sendable public static func encoderBackward<S>(_ a: Encoder.Backward<S>) {
        for row in 0..<a.B * a.T {
            let token = Int(a.inp[row])
            for i in 0..<a.C {
                let d = a.dout[row * a.C + i]
                a.dwte[token * a.C + i] += d
                a.dwpe[row % a.T * a.C + i] += d
            }
        }
    }
}
