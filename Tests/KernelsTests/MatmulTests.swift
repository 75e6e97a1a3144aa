import KernelCatalog
import Kernels
import Tensors
import Testing

/// Every matmul lies within its bound of the reference in double, at sizes around those of its blocks, with the same
/// bits for any number of threads.
struct MatmulTests {
    struct Sizes: CustomTestStringConvertible, Sendable {
        let rows, C, OC: Int
        var testDescription: String { "\(rows) × \(C) → \(OC)" }
    }

    static let sizes = [
        Sizes(rows: 1, C: 1, OC: 1), Sizes(rows: 12, C: 256, OC: 32), Sizes(rows: 13, C: 257, OC: 33),
        Sizes(rows: 11, C: 255, OC: 31), Sizes(rows: 1, C: 513, OC: 65), Sizes(rows: 97, C: 3, OC: 5),
        Sizes(rows: 485, C: 20, OC: 37), Sizes(rows: 5, C: 40, OC: 490), Sizes(rows: 64, C: 1, OC: 64),
    ]

    @Test(arguments: KernelCatalog.standard.names, sizes)
    func forward(_ name: String, _ sizes: Sizes) throws {
        let (rows, C, OC) = (sizes.rows, sizes.C, sizes.OC)
        var draw = SplitMix64(state: 7)
        let inp = draw.tensor(rows * C), weight = draw.tensor(OC * C), bias = draw.tensor(OC)
        let truth = Tensor<Double>(repeating: 0, count: rows * OC),
            gauge = Tensor<Double>(repeating: 0, count: rows * OC)
        let oracle = KernelSet(KernelCatalog.standard.exact)
        for (out, absolute) in [(truth.view, false), (gauge.view, true)] {
            let i = inp.view.inDouble(absolute), w = weight.view.inDouble(absolute), b = bias.view.inDouble(absolute)
            oracle.run(
                Matmul.Forward(
                    out: out, inp: View(i.view), weight: View(w.view), bias: View(b.view), B: 1, T: rows, C: C, OC: OC))
        }
        var bits: [[UInt32]] = []
        for threads in [1, 2, 3, 5] {
            let out = Tensor<Float>(repeating: .nan, count: rows * OC)
            try KernelCatalog.standard.set(named: name, workers: Workers(count: threads)).run(
                Matmul.Forward(
                    out: out.view, inp: View(inp.view), weight: View(weight.view), bias: View(bias.view),
                    B: 1, T: rows, C: C, OC: OC))
            let c = Double(C + 1) / (1 - Double(C + 1) * Float.unitRoundoff)
            for i in 0..<rows * OC {
                let bound = c * Float.unitRoundoff * gauge.view[i]
                if !(abs(Double(out.view[i]) - truth.view[i]) <= bound) {
                    Issue.record("element \(i): \(out.view[i]) instead of \(truth.view[i]), bound \(bound)")
                    return
                }
            }
            bits.append(out.view.buffer.map(\.bitPattern))
        }
        #expect(bits.allSatisfy { $0 == bits[0] })
    }

    @Test(arguments: KernelCatalog.standard.names, sizes)
    func backwardIsTheTransposeOfForward(_ name: String, _ sizes: Sizes) throws {
        // ⟨dout, inp · weightᵀ⟩ = ⟨dinp, inp⟩ = ⟨dweight, weight⟩, whatever the sizes.
        let (rows, C, OC) = (sizes.rows, sizes.C, sizes.OC)
        var draw = SplitMix64(state: 8)
        let inp = draw.tensor(rows * C), weight = draw.tensor(OC * C), dout = draw.tensor(rows * OC)
        let out = Tensor<Float>(repeating: 0, count: rows * OC)
        let dinp = Tensor<Float>(repeating: 0, count: rows * C), dweight = Tensor<Float>(repeating: 0, count: OC * C)
        let set = try KernelCatalog.standard.set(named: name, workers: Workers(count: 2))
        set.run(
            Matmul.Forward(
                out: out.view, inp: View(inp.view), weight: View(weight.view), bias: nil, B: 1, T: rows, C: C, OC: OC))
        set.run(
            Matmul.Backward(
                dinp: dinp.view, dweight: dweight.view, dbias: nil, dout: View(dout.view), inp: View(inp.view),
                weight: View(weight.view), B: 1, T: rows, C: C, OC: OC))
        let products = [dot(dout.view, out.view), dot(dinp.view, inp.view), dot(dweight.view, weight.view)]
        let scale = (0..<rows * OC).reduce(0.0) { $0 + abs(Double(dout.view[$1]) * Double(out.view[$1])) }
        for product in products { #expect(abs(product - products[0]) <= 1e-5 * scale) }
    }

    private func dot(_ a: MutableView<Float>, _ b: MutableView<Float>) -> Double {
        (0..<a.count).reduce(0) { $0 + Double(a[$1]) * Double(b[$1]) }
    }
}

extension SplitMix64 {
    fileprivate mutating func tensor(_ count: Int) -> Tensor<Float> {
        let tensor = Tensor<Float>(repeating: 0, count: count)
        for i in 0..<count { tensor.view[i] = Float(normal()) }
        return tensor
    }
}

extension MutableView<Float> {
    fileprivate func inDouble(_ absolute: Bool) -> Tensor<Double> {
        Tensor(buffer.map { absolute ? abs(Double($0)) : Double($0) })
    }
}
