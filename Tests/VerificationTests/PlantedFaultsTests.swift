import Foundation
import Kernels
import ReferenceKernels
import Reporting
import Tensors
import Testing
import Verification

/// A kernel broken on purpose, and what must be blamed.
struct PlantedFault: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let implementation: Implementation<Float>

    init<K: Kernel>(_ description: String, _ body: @escaping @Sendable (K) -> Void) where K.Scalar == Float {
        testDescription = description
        implementation = Implementation("faulty", body)
    }

    static let all: [PlantedFault] = [
        PlantedFault("the GELU constant 0.044715 made 0.0447") { (a: GELU.Forward<Float>) in
            for i in 0..<a.N {
                let x = Double(a.inp[i])
                a.out[i] = Float(0.5 * x * (1 + tanh(GELU.scale * (x + 0.0447 * x * x * x))))
            }
        },
        PlantedFault("+= made = in layernorm backward") { (a: LayerNorm.Backward<Float>) in
            a.dinp.fill(0)
            ReferenceKernels.layernormBackward(a)
        },
        PlantedFault("the causal mask off by one") { (a: Attention.Forward<Float>) in
            attention(a, scale: 1 / Float(a.C / a.NH).squareRoot(), seen: { $0 + 1 })
        },
        PlantedFault("a missing 1/sqrt(hs)") { (a: Attention.Forward<Float>) in
            attention(a, scale: 1, seen: { $0 })
        },
        PlantedFault("an output that is never written") { (a: Residual.Forward<Float>) in
            for i in 0..<a.N - 1 { a.out[i] = a.inp1[i] + a.inp2[i] }
        },
        PlantedFault("a write past the end") { (a: Residual.Forward<Float>) in
            ReferenceKernels.residualForward(a)
            a.out.base[a.N] = 0
        },
        PlantedFault("an input changed") { (a: Softmax.Forward<Float>) in
            ReferenceKernels.softmaxForward(a)
            UnsafeMutablePointer(mutating: a.logits.base)[0] += 1
        },
        PlantedFault("no padding in the probabilities") { (a: Softmax.Forward<Float>) in
            var whole = a
            whole.V = a.Vp
            ReferenceKernels.softmaxForward(whole)
        },
        PlantedFault("NaN where the gradient should be") { (a: GELU.Backward<Float>) in a.dinp.fill(.nan) },
        PlantedFault("eps inside the root") { (a: AdamW.Update<Float>) in
            let h = a.hyperparameters
            for i in 0..<a.N {
                a.m[i] = h.beta1 * a.m[i] + (1 - h.beta1) * a.grads[i]
                a.v[i] = h.beta2 * a.v[i] + (1 - h.beta2) * a.grads[i] * a.grads[i]
                let mHat = a.m[i] / (1 - pow(h.beta1, Float(a.t)))
                let vHat = a.v[i] / (1 - pow(h.beta2, Float(a.t)))
                a.params[i] -= h.learningRate * (mHat / (vHat + h.eps).squareRoot() + h.weightDecay * a.params[i])
            }
        },
        PlantedFault("the gradient of the head's input lost") { (a: Matmul.Backward<Float>) in
            var scratch = a
            let nowhere = Tensor<Float>(repeating: 0, count: a.dinp.count)
            scratch.dinp = nowhere.view
            ReferenceKernels.matmulBackward(scratch)
        },
        PlantedFault("other bits on every run") { (a: CrossEntropy.Forward<Float>) in
            ReferenceKernels.crossentropyForward(a)
            a.losses[0] = Bool.random() ? a.losses[0].nextUp : a.losses[0].nextDown
        },
    ]

    /// Attention in which token t sees tokens 0...seen(t), and scores are scaled by `scale`.
    private static func attention(_ a: Attention.Forward<Float>, scale: Float, seen: (Int) -> Int) {
        ReferenceKernels.attentionForward(a)
        let hs = a.C / a.NH
        for b in 0..<a.B {
            for h in 0..<a.NH {
                for t in 0..<a.T {
                    func at(_ t: Int, _ part: Int) -> Int { (b * a.T + t) * 3 * a.C + part * a.C + h * hs }
                    let row = ((b * a.NH + h) * a.T + t) * a.T
                    let last = min(seen(t), a.T - 1)
                    var scores = [Float](repeating: 0, count: last + 1)
                    for t2 in 0...last {
                        for i in 0..<hs { scores[t2] += a.inp[at(t, 0) + i] * a.inp[at(t2, 1) + i] * scale }
                        if t2 <= t { a.preatt[row + t2] = scores[t2] }
                    }
                    let maximum = scores.max() ?? 0
                    let sum = scores.reduce(0) { $0 + exp($1 - maximum) }
                    for t2 in 0...last { a.att[row + t2] = exp(scores[t2] - maximum) / sum }
                    for i in 0..<hs {
                        a.out[(b * a.T + t) * a.C + h * hs + i] = (0...last).reduce(0) {
                            $0 + a.att[row + $1] * a.inp[at($1, 2) + i]
                        }
                    }
                }
            }
        }
    }
}

/// Wrong kernels are caught, and blamed for it.
struct PlantedFaultsTests {
    @Test(arguments: PlantedFault.all)
    func isCaughtAndBlamed(_ fault: PlantedFault) throws {
        let outcome = try verify("reference", replacing: [fault.implementation])
        #expect(outcome.verdict == .fail)
        #expect(outcome.blamed?.operation == fault.implementation.kernelName.operation)
        #expect(outcome.blamed?.pass == fault.implementation.kernelName.pass.rawValue)
    }

    /// By a debug state alone: the kernel gets the reference's inputs, and only its own results fail.
    @Test(arguments: PlantedFault.all.prefix(4))
    func isBlamedByTheDebugStateAlone(_ fault: PlantedFault) throws {
        let outcome = try verify(
            "reference", replacing: [fault.implementation], fixtures: ["\(root)/fixtures/tiny.h5"], modes: [.isolated])
        #expect(outcome.blamed?.operation == fault.implementation.kernelName.operation)
        #expect(outcome.blamed?.pass == fault.implementation.kernelName.pass.rawValue)
        let failed = Set(outcome.rows.filter { $0.verdict == .fail }.map(\.operation))
        #expect(failed == [fault.implementation.kernelName.operation])
    }
}
