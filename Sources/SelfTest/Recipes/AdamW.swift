import Foundation
import Kernels
import Tensors

struct AdamWUpdateRecipe: Recipe {
    typealias Numbers = AdamW.Hyperparameters

    var arithmetic = Arithmetic()
    /// Whether the parameter decays before the step, as in PyTorch, and not with it.
    var decaysFirst = false
    /// Whether m is m + (1 − β1)·(g − m), and not two products.
    var interpolates = false
    /// Whether 1 − β^t is computed in float32.
    var correctsInFloat = false
    /// Whether learning rate and step are corrected, and not the moments.
    var correctsRate = false
    var corrects = (m: true, v: true)
    var step: @Sendable (Int) -> Int = { $0 }
    var decay: @Sendable (_ h: Numbers) -> Float = { $0.learningRate * $0.weightDecay }
    var isCoupled = false
    var eps: (inside: Float, outside: Float, scaled: Bool) = (0, 1, false)
    var betas: @Sendable (_ h: Numbers) -> (Float, Float) = { ($0.beta1, $0.beta2) }
    var gradientPart: @Sendable (_ beta: Float) -> Float = { 1 - $0 }
    var squares = true
    var sign: Float = 1
    var usesMoment = true
    var takesRoot = true

    mutating func choose(using generator: inout SplitMix64) {
        decaysFirst = Bool.random(using: &generator)
        interpolates = Bool.random(using: &generator)
        correctsInFloat = Bool.random(using: &generator)
        correctsRate = Bool.random(using: &generator)
    }

    func run(_ a: AdamW.Update<Float>, _ workers: Workers) {
        let h = a.hyperparameters
        let (beta1, beta2) = betas(h)
        let t = step(a.t)
        func correction(_ beta: Float) -> Float {
            correctsInFloat ? 1 - pow(beta, Float(t)) : Float(1 - pow(Double(beta), Double(t)))
        }
        let correction1 = corrects.m ? correction(beta1) : 1
        let correction2 = corrects.v ? correction(beta2) : 1
        workers.forEach(a.N) { i in
            var param = a.params[i]
            let g = a.grads[i] + (isCoupled ? h.weightDecay * param : 0)
            a.m[i] =
                interpolates
                ? arithmetic.multiplyAdd(gradientPart(beta1), g - a.m[i], a.m[i])
                : arithmetic.multiplyAdd(beta1, a.m[i], gradientPart(beta1) * g)
            a.v[i] = arithmetic.multiplyAdd(beta2, a.v[i], gradientPart(beta2) * (squares ? g * g : abs(g)))
            let m = usesMoment ? a.m[i] : g
            let vHat = a.v[i] / correction2 + eps.inside * h.eps
            let root =
                !takesRoot ? vHat : correctsRate ? a.v[i].squareRoot() / correction2.squareRoot() : vHat.squareRoot()
            let denominator = root + eps.outside * (eps.scaled ? h.eps / correction2.squareRoot() : h.eps)
            let step =
                sign
                * (correctsRate
                    ? h.learningRate / correction1 * (m / denominator)
                    : h.learningRate * (m / correction1 / denominator))
            let decay = isCoupled ? 0 : decay(h)
            if decaysFirst {
                param *= 1 - decay
                a.params[i] = param - step
            } else {
                a.params[i] = param - (step + decay * param)
            }
        }
    }

    static let faults: [Change<Self>] = [
        Change("the first moment's bias not corrected") { $0.corrects.m = false },
        Change("the second moment's bias not corrected") { $0.corrects.v = false },
        Change("the step counted from 0") { $0.step = { max($0 - 1, 1) } },
        Change("the step one ahead") { $0.step = { $0 + 1 } },
        Change("no decay") { $0.decay = { _ in 0 } },
        Change("decay without the learning rate") { $0.decay = { $0.weightDecay } },
        Change("decay of the wrong sign") { $0.decay = { -$0.learningRate * $0.weightDecay } },
        Change("decay within the gradient, as in Adam") { $0.isCoupled = true },
        Change("eps inside the root") { $0.eps = (1, 0, false) },
        Change("no eps") { $0.eps = (0, 0, false) },
        Change("eps before the correction") { $0.eps = (0, 1, true) },
        Change("the betas swapped") { $0.betas = { ($0.beta2, $0.beta1) } },
        Change("the default betas, whatever is asked") { $0.betas = { _ in (0.9, 0.999) } },
        Change("the gradient's part beta, and not 1 − beta") { $0.gradientPart = { $0 } },
        Change("the gradient's part 1") { $0.gradientPart = { _ in 1 } },
        Change("|g| for g²") { $0.squares = false },
        Change("uphill") { $0.sign = -1 },
        Change("the gradient for its moment") { $0.usesMoment = false },
        Change("no root") { $0.takesRoot = false },
    ]
}
