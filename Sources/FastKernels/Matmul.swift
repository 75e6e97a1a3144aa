import Kernels
import Tensors

extension FastKernels {
    @Sendable public static func matmulForward(_ a: Matmul.Forward<Float>, _ workers: Workers) {
        workers.forEach(a.B * a.T) { row in
            for o in 0..<a.OC {
                var sums = SIMD16<Float>(repeating: 0)
                let (x, w) = (a.inp.base + row * a.C, a.weight.base + o * a.C)
                var i = 0
                while i + 16 <= a.C {
                    sums.addProduct(
                        UnsafeRawPointer(x + i).loadUnaligned(as: SIMD16<Float>.self),
                        UnsafeRawPointer(w + i).loadUnaligned(as: SIMD16<Float>.self))
                    i += 16
                }
                var sum = sums.sum()
                while i < a.C {
                    sum += x[i] * w[i]
                    i += 1
                }
                a.out[row * a.OC + o] = sum + (a.bias.map { $0[o] } ?? 0)
            }
        }
    }

    @Sendable public static func matmulBackward(_ a: Matmul.Backward<Float>, _ workers: Workers) {
        workers.forEach(a.B * a.T) { row in
            for o in 0..<a.OC {
                let d = a.dout[row * a.OC + o]
                for i in 0..<a.C { a.dinp[row * a.C + i] += d * a.weight[o * a.C + i] }
            }
        }
        workers.forEach(a.OC) { o in
            for row in 0..<a.B * a.T {
                let d = a.dout[row * a.OC + o]
                for i in 0..<a.C { a.dweight[o * a.C + i] += d * a.inp[row * a.C + i] }
                if let dbias = a.dbias { dbias[o] += d }
            }
        }
    }
}
