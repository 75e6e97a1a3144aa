import Kernels
import Tensors

struct MatmulForwardRecipe: Recipe {
    var arithmetic = Arithmetic()
    var bias: @Sendable (_ o: Int, _ a: Matmul.Forward<Float>) -> Float = { o, a in a.bias.map { $0[o] } ?? 0 }
    /// The terms of a sum.
    var depth: @Sendable (_ C: Int) -> Int = { $0 }
    var precision: @Sendable (Float) -> Float = { $0 }
    var isTransposed = false

    func run(_ a: Matmul.Forward<Float>, _ workers: Workers) {
        let depth = depth(a.C)
        workers.forEach(a.B * a.T) { row in
            for o in 0..<a.OC {
                a.out[row * a.OC + o] = arithmetic.dot(
                    from: bias(o, a), depth, { precision(a.inp[row * a.C + $0]) },
                    { precision(isTransposed ? a.weight[($0 * a.OC + o) % a.weight.count] : a.weight[o * a.C + $0]) })
            }
        }
    }

    static let faults: [Change<Self>] = [
        Change("no bias") { $0.bias = { _, _ in 0 } },
        Change("the bias twice") { $0.bias = { o, a in a.bias.map { 2 * $0[o] } ?? 0 } },
        Change("the bias of the next output") { $0.bias = { o, a in a.bias.map { $0[(o + 1) % a.OC] } ?? 0 } },
        Change("the last input forgotten") { $0.depth = { max($0 - 1, 1) } },
        Change("the last partial vector of 8 inputs forgotten") { $0.depth = { $0 < 8 ? $0 : $0 / 8 * 8 } },
        Change("the weight transposed") { $0.isTransposed = true },
        Change("inputs rounded to bfloat16") { $0.precision = bfloat16 },
        Change("inputs rounded to TensorFloat-32") { $0.precision = tensorFloat32 },
    ]
}

struct MatmulBackwardRecipe: Recipe {
    var arithmetic = Arithmetic()
    var outputs: @Sendable (_ OC: Int) -> Int = { $0 }
    var rows: @Sendable (_ rows: Int) -> Int = { $0 }
    var biasRows: @Sendable (_ rows: Int) -> Int = { $0 }
    var biasFactor: Float = 1
    var precision: @Sendable (Float) -> Float = { $0 }
    var dweightOutput: @Sendable (_ o: Int, _ OC: Int) -> Int = { o, _ in o }

    func run(_ a: Matmul.Backward<Float>, _ workers: Workers) {
        let rows = a.B * a.T
        workers.forEach(rows) { row in
            for i in 0..<a.C {
                a.dinp[row * a.C + i] = arithmetic.dot(
                    from: a.dinp[row * a.C + i], outputs(a.OC), { precision(a.dout[row * a.OC + $0]) },
                    { precision(a.weight[$0 * a.C + i]) })
            }
        }
        workers.forEach(a.OC) { o in
            let from = dweightOutput(o, a.OC)
            for i in 0..<a.C {
                a.dweight[o * a.C + i] = arithmetic.dot(
                    from: a.dweight[o * a.C + i], self.rows(rows), { precision(a.dout[$0 * a.OC + from]) },
                    { precision(a.inp[$0 * a.C + i]) })
            }
            guard let dbias = a.dbias else { return }
            dbias[o] = arithmetic.sum(from: dbias[o], biasRows(rows)) { biasFactor * a.dout[$0 * a.OC + o] }
        }
    }

    static let faults: [Change<Self>] = [
        Change("the last output forgotten in dinp") { $0.outputs = { max($0 - 1, 0) } },
        Change("the last partial vector of 8 outputs forgotten in dinp") { $0.outputs = { $0 < 8 ? $0 : $0 / 8 * 8 } },
        Change("the last row forgotten in dweight") { $0.rows = { max($0 - 1, 0) } },
        Change("the last row forgotten in dbias") { $0.biasRows = { max($0 - 1, 0) } },
        Change("dbias left out") { $0.biasFactor = 0 },
        Change("dbias twice") { $0.biasFactor = 2 },
        Change("dweight of the next output") { $0.dweightOutput = { o, OC in (o + 1) % OC } },
        Change("inputs rounded to bfloat16") { $0.precision = bfloat16 },
        Change("inputs rounded to TensorFloat-32") { $0.precision = tensorFloat32 },
    ]
}

/// The number with the 8 significant bits of bfloat16.
@Sendable func bfloat16(_ x: Float) -> Float { Float(bitPattern: (x.bitPattern &+ 0x8000) & 0xffff_0000) }

/// The number with the 11 significant bits of TensorFloat-32.
@Sendable func tensorFloat32(_ x: Float) -> Float { Float(bitPattern: (x.bitPattern &+ 0x1000) & 0xffff_e000) }
