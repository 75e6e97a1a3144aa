import Kernels

extension ReferenceKernels {
    /// ``LayerNorm/Forward`` in plain loops.
    @specialized(where S == Float)
    @specialized(where S == Double)
    @Sendable public static func layernormForward<S>(_ a: LayerNorm.Forward<S>) {
        for row in 0..<a.B * a.T {
            var sum = 0.0
            for i in 0..<a.C { sum += Double(a.inp[row * a.C + i]) }
            let mean = sum / Double(a.C)

            var squares = 0.0
            for i in 0..<a.C {
                let deviation = Double(a.inp[row * a.C + i]) - mean
                squares += deviation * deviation
            }
            let rstd = 1 / (squares / Double(a.C) + LayerNorm.eps).squareRoot()

            for i in 0..<a.C {
                let norm = (Double(a.inp[row * a.C + i]) - mean) * rstd
                a.out[row * a.C + i] = S(Double(a.weight[i]) * norm + Double(a.bias[i]))
            }
            a.mean[row] = S(mean)
            a.rstd[row] = S(rstd)
        }
    }

    /// ``LayerNorm/Backward`` in plain loops.
    @specialized(where S == Float)
    @specialized(where S == Double)
    @Sendable public static func layernormBackward<S>(_ a: LayerNorm.Backward<S>) {
        for row in 0..<a.B * a.T {
            let mean = Double(a.mean[row])
            let rstd = Double(a.rstd[row])
            func norm(_ i: Int) -> Double { (Double(a.inp[row * a.C + i]) - mean) * rstd }
            func g(_ i: Int) -> Double { Double(a.weight[i]) * Double(a.dout[row * a.C + i]) }

            var gSum = 0.0
            var gNormSum = 0.0
            for i in 0..<a.C {
                gSum += g(i)
                gNormSum += g(i) * norm(i)
            }
            let gMean = gSum / Double(a.C)
            let gNormMean = gNormSum / Double(a.C)

            for i in 0..<a.C {
                let gradient = rstd * (g(i) - gMean - norm(i) * gNormMean)
                a.dinp[row * a.C + i] = S(Double(a.dinp[row * a.C + i]) + gradient)
            }
        }
        for i in 0..<a.C {
            var dweight = 0.0
            var dbias = 0.0
            for row in 0..<a.B * a.T {
                let dout = Double(a.dout[row * a.C + i])
                dweight += dout * (Double(a.inp[row * a.C + i]) - Double(a.mean[row])) * Double(a.rstd[row])
                dbias += dout
            }
            a.dweight[i] = S(Double(a.dweight[i]) + dweight)
            a.dbias[i] = S(Double(a.dbias[i]) + dbias)
        }
    }
}
