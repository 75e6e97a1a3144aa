import Foundation
import Kernels
import Tensors

extension FastKernels {
    /// ``AdamW/Update`` in one pass; what depends on the step alone is computed in double.
    @Sendable public static func adamwUpdate(_ a: AdamW.Update<Float>, _ workers: Workers) {
        let h = a.hyperparameters
        let (beta1, beta2) = (Vector(repeating: h.beta1), Vector(repeating: h.beta2))
        let rest1 = Vector(repeating: Float(1 - Double(h.beta1)))
        let rest2 = Vector(repeating: Float(1 - Double(h.beta2)))
        let step = Vector(repeating: Float(Double(h.learningRate) / (1 - pow(Double(h.beta1), Double(a.t)))))
        let correction = Vector(repeating: Float(1 / (1 - pow(Double(h.beta2), Double(a.t))).squareRoot()))
        let eps = Vector(repeating: h.eps)
        let decay = Vector(repeating: -Float(Double(h.learningRate) * Double(h.weightDecay)))

        workers.forEachPart(a.N) { part in
            forEachVector(part) { i, count in
                let g = (a.grads.base + i).load(count)
                let p = (a.params.base + i).load(count)
                let m = (rest1 * g).plus(beta1, times: (a.m.base + i).load(count))
                let v = (rest2 * g * g).plus(beta2, times: (a.v.base + i).load(count))
                (a.m.base + i).store(m, count)
                (a.v.base + i).store(v, count)
                let update = step * m / eps.plus(v.root(), times: correction)
                (a.params.base + i).store(p.plus(decay, times: p) - update, count)
            }
        }
    }
}
