import Kernels

extension ReferenceKernels {
    /// ``Matmul/Forward`` in plain loops.
    @specialized(where S == Float)
    @specialized(where S == Double)
    @Sendable public static func matmulForward<S>(_ a: Matmul.Forward<S>) {
        for row in 0..<a.B * a.T {
            for o in 0..<a.OC {
                var sum = a.bias.map { Double($0[o]) } ?? 0
                for i in 0..<a.C { sum += Double(a.inp[row * a.C + i]) * Double(a.weight[o * a.C + i]) }
                a.out[row * a.OC + o] = S(sum)
            }
        }
    }

    /// ``Matmul/Backward`` in plain loops.
    @specialized(where S == Float)
    @specialized(where S == Double)
    @Sendable public static func matmulBackward<S>(_ a: Matmul.Backward<S>) {
        // Row by row, so that memory is walked in order; each row's sums are complete before they are added.
        withUnsafeTemporaryAllocation(of: Double.self, capacity: a.C) { sums in
            for row in 0..<a.B * a.T {
                sums.initialize(repeating: 0)
                for o in 0..<a.OC {
                    let dout = Double(a.dout[row * a.OC + o])
                    for i in 0..<a.C { sums[i] += dout * Double(a.weight[o * a.C + i]) }
                }
                for i in 0..<a.C { a.dinp[row * a.C + i] = S(Double(a.dinp[row * a.C + i]) + sums[i]) }
            }
            for o in 0..<a.OC {
                sums.initialize(repeating: 0)
                var dbias = 0.0
                for row in 0..<a.B * a.T {
                    let dout = Double(a.dout[row * a.OC + o])
                    dbias += dout
                    for i in 0..<a.C { sums[i] += dout * Double(a.inp[row * a.C + i]) }
                }
                for i in 0..<a.C { a.dweight[o * a.C + i] = S(Double(a.dweight[o * a.C + i]) + sums[i]) }
                if let bias = a.dbias { bias[o] = S(Double(bias[o]) + dbias) }
            }
        }
    }
}
