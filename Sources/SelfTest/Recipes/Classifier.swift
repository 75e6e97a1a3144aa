import Foundation
import Kernels
import Tensors

struct ClassifierForwardRecipe: Recipe {
    /// By way of what the loss is made.
    enum Loss: Sendable, CaseIterable {
        /// lse − logit, (max − logit) + log sum, or −log of the probability.
        case difference, fromMaximum, logarithm
    }

    var arithmetic = Arithmetic()
    var sums = ExponentialSums()
    var loss = Loss.difference
    /// Another function in place of the logarithm.
    var logarithm: (@Sendable (Float) -> Float)?
    /// The columns over which maximum and sum run.
    var columns: @Sendable (_ V: Int, _ Vp: Int) -> Int = { V, _ in V }
    var target: @Sendable (_ target: Int, _ V: Int) -> Int = { target, _ in target }
    var addsMaximum = true
    var sign: Float = 1

    mutating func choose(using generator: inout SplitMix64) {
        sums.choose(using: &generator)
        loss = Loss.allCases.randomElement(using: &generator) ?? loss
    }

    func run(_ a: Classifier.Forward<Float>, _ workers: Workers) {
        let columns = columns(a.V, a.Vp)
        @Sendable func log(_ x: Float) -> Float { logarithm?(x) ?? sums.elementary.log(x) }
        workers.forEach(a.B * a.T) { row in
            let logits = (0..<columns).map { a.logits[row * a.Vp + $0] }
            let (maximum, sum, _) = sums.take(logits, by: arithmetic)
            let lse = (addsMaximum ? maximum : 0) + log(sum)
            let logit = a.logits[row * a.Vp + target(Int(a.targets[row]), a.V)]
            let probability = sums.elementary.exp(min(logit - maximum, 0)) / sum
            a.lse[row] = lse
            let loss =
                switch loss {
                case .fromMaximum: (maximum - logit) + log(sum)
                // What vanishes has no logarithm.
                case .logarithm where probability > 0x1p-100: -log(probability)
                default: lse - logit
                }
            a.losses[row] = sign * loss
        }
    }

    static let faults: [Change<Self>] = [
        Change("the maximum not taken off") { $0.sums.takesMaximum = false },
        Change("lse without the maximum") { $0.addsMaximum = false },
        Change("the padding counted in") { $0.columns = { _, Vp in Vp } },
        Change("the last token forgotten") { $0.columns = { V, _ in max(V - 1, 1) } },
        Change("the last partial vector of 8 forgotten") { $0.columns = { V, _ in V < 8 ? V : V / 8 * 8 } },
        Change("the logarithm to base 2") { $0.logarithm = { log2($0) } },
        Change("the loss of the next token") { $0.target = { ($0 + 1) % $1 } },
        Change("losses of the wrong sign") { $0.sign = -1 },
        Change("the rescaling forgotten when the maximum grows") {
            $0.sums.block = 1
            $0.sums.rescales.sum = false
        },
    ]
}

struct ClassifierBackwardRecipe: Recipe {
    var arithmetic = Arithmetic()
    var sums = ExponentialSums()
    /// Whether probabilities are made by division, and not as exp(logit − lse).
    var divides = false
    /// Whether the target's dloss is taken off after the product.
    var subtractsLast = false
    var indicator: Float = 1
    var usesLossGradient = true
    var target: @Sendable (_ target: Int, _ V: Int) -> Int = { target, _ in target }
    var columns: @Sendable (_ V: Int, _ Vp: Int) -> Int = { V, _ in V }
    var factor: @Sendable (_ a: Classifier.Backward<Float>) -> Float = { _ in 1 }
    var clearsPadding = true
    var lseFactor: Float = 1

    mutating func choose(using generator: inout SplitMix64) {
        sums.choose(using: &generator)
        divides = Bool.random(using: &generator)
        subtractsLast = Bool.random(using: &generator)
    }

    func run(_ a: Classifier.Backward<Float>, _ workers: Workers) {
        let (columns, factor) = (columns(a.V, a.Vp), factor(a))
        workers.forEach(a.B * a.T) { row in
            let logits = (0..<columns).map { a.logits[row * a.Vp + $0] }
            let (maximum, sum, _) = divides ? sums.take(logits, by: arithmetic) : (0, 0, [])
            let gradient = factor * (usesLossGradient ? a.dlosses[row] : 1)
            for v in 0..<a.Vp {
                guard v < columns else {
                    if clearsPadding { a.dlogits[row * a.Vp + v] = 0 }
                    continue
                }
                let p =
                    divides
                    ? sums.elementary.exp(logits[v] - maximum) / sum
                    : sums.elementary.exp(logits[v] - lseFactor * a.lse[row])
                let one = v == target(Int(a.targets[row]), a.V) ? indicator : 0
                a.dlogits[row * a.Vp + v] =
                    subtractsLast ? arithmetic.multiplyAdd(p, gradient, -one * gradient) : (p - one) * gradient
            }
        }
    }

    static let faults: [Change<Self>] = [
        Change("the target's 1 left out") { $0.indicator = 0 },
        Change("the target's 1 added") { $0.indicator = -1 },
        Change("the 1 at the next token") { $0.target = { ($0 + 1) % $1 } },
        Change("dlosses left out") { $0.usesLossGradient = false },
        Change("divided by B · T") { $0.factor = { 1 / Float($0.B * $0.T) } },
        Change("the last token forgotten") { $0.columns = { V, _ in V - 1 } },
        Change("a gradient of the padding") { $0.columns = { _, Vp in Vp } },
        Change("the padding not cleared") { $0.clearsPadding = false },
        Change("lse left out") { $0.lseFactor = 0 },
        Change("lse of the wrong sign") { $0.lseFactor = -1 },
    ]
}
