import Foundation
import Kernels

extension ReferenceKernels {
    /// ``AdamW/Update`` in plain loops.
    @specialized(where S == Float)
    @specialized(where S == Double)
    @Sendable public static func adamwUpdate<S>(_ a: AdamW.Update<S>) {
        let learningRate = Double(a.hyperparameters.learningRate)
        let (beta1, beta2) = (Double(a.hyperparameters.beta1), Double(a.hyperparameters.beta2))
        let (eps, decay) = (Double(a.hyperparameters.eps), Double(a.hyperparameters.weightDecay))
        let correction1 = 1 - pow(beta1, Double(a.t))
        let correction2 = 1 - pow(beta2, Double(a.t))
        for i in 0..<a.N {
            let g = Double(a.grads[i])
            let m = beta1 * Double(a.m[i]) + (1 - beta1) * g
            let v = beta2 * Double(a.v[i]) + (1 - beta2) * g * g
            let step = (m / correction1) / ((v / correction2).squareRoot() + eps)
            let param = Double(a.params[i])
            a.m[i] = S(m)
            a.v[i] = S(v)
            a.params[i] = S(param - learningRate * (step + decay * param))
        }
    }
}
