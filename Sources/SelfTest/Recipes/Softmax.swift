import Foundation
import Kernels
import Tensors

struct SoftmaxForwardRecipe: Recipe {
    var arithmetic = Arithmetic()
    var sums = ExponentialSums()
    /// Whether a row is multiplied by 1/sum, and not divided by it.
    var multiplies = false
    /// The columns over which maximum and sum run.
    var columns: @Sendable (_ V: Int, _ Vp: Int) -> Int = { V, _ in V }
    var clearsPadding = true
    var base: Float = 1

    mutating func choose(using generator: inout SplitMix64) {
        sums.choose(using: &generator)
        multiplies = Bool.random(using: &generator)
    }

    func run(_ a: Softmax.Forward<Float>, _ workers: Workers) {
        let columns = columns(a.V, a.Vp)
        workers.forEach(a.B * a.T) { row in
            let at = row * a.Vp
            let logits = (0..<columns).map { base * a.logits[at + $0] }
            let (maximum, sum, _) = sums.take(logits, by: arithmetic)
            let reciprocal = 1 / sum
            for v in 0..<a.Vp {
                if v < columns {
                    let exponential = sums.elementary.exp(logits[v] - maximum)
                    a.probs[at + v] = multiplies ? exponential * reciprocal : exponential / sum
                } else if clearsPadding || v < a.V {
                    a.probs[at + v] = 0
                }
            }
        }
    }

    static let faults: [Change<Self>] = [
        Change("the maximum not taken off") { $0.sums.takesMaximum = false },
        Change("the padding counted in") { $0.columns = { _, Vp in Vp } },
        Change("the padding not cleared") { $0.clearsPadding = false },
        Change("the last token forgotten") { $0.columns = { V, _ in max(V - 1, 1) } },
        Change("the last partial vector of 8 forgotten") { $0.columns = { V, _ in V < 8 ? V : V / 8 * 8 } },
        Change("powers of 2 for powers of e") { $0.base = Float(log(2.0)) },
        Change("the rescaling forgotten when the maximum grows") {
            $0.sums.block = 1
            $0.sums.rescales.sum = false
        },
    ]
}

struct CrossEntropyForwardRecipe: Recipe {
    var arithmetic = Arithmetic()
    var elementary = Elementary.exact
    /// Another function in place of the logarithm.
    var logarithm: (@Sendable (Float) -> Float)?
    var sign: Float = -1
    var target: @Sendable (_ target: Int, _ Vp: Int) -> Int = { target, _ in target }

    mutating func choose(using generator: inout SplitMix64) { elementary = .random(using: &generator) }

    func run(_ a: CrossEntropy.Forward<Float>, _ workers: Workers) {
        workers.forEach(a.B * a.T) { row in
            let p = a.probs[row * a.Vp + target(Int(a.targets[row]), a.Vp)]
            a.losses[row] = sign * (logarithm?(p) ?? elementary.log(p))
        }
    }

    static let faults: [Change<Self>] = [
        Change("the logarithm to base 2") { $0.logarithm = { log2($0) } },
        Change("the logarithm to base 10") { $0.logarithm = { log10($0) } },
        Change("1e-6 added within the logarithm") { $0.logarithm = { log($0 + 1e-6) } },
        Change("probabilities below 1e-30 clipped") { $0.logarithm = { log(max($0, 1e-30)) } },
        Change("the sign forgotten") { $0.sign = 1 },
        Change("the next token's probability") { $0.target = { ($0 + 1) % $1 } },
    ]
}

struct CrossEntropySoftmaxBackwardRecipe: Recipe {
    var arithmetic = Arithmetic()
    /// Whether the target's dloss is taken off on its own.
    var subtractsLast = false
    var indicator: Float = 1
    var usesLossGradient = true
    var target: @Sendable (_ target: Int, _ V: Int) -> Int = { target, _ in target }
    var columns: @Sendable (_ V: Int, _ Vp: Int) -> Int = { V, _ in V }
    var factor: @Sendable (_ a: CrossEntropySoftmax.Backward<Float>) -> Float = { _ in 1 }

    mutating func choose(using generator: inout SplitMix64) { subtractsLast = Bool.random(using: &generator) }

    func run(_ a: CrossEntropySoftmax.Backward<Float>, _ workers: Workers) {
        let factor = factor(a)
        workers.forEach(a.B * a.T) { row in
            let gradient = factor * (usesLossGradient ? a.dlosses[row] : 1)
            for v in 0..<columns(a.V, a.Vp) {
                let (p, initial) = (a.probs[row * a.Vp + v], a.dlogits[row * a.Vp + v])
                let one = v == target(Int(a.targets[row]), a.V) ? indicator : 0
                a.dlogits[row * a.Vp + v] =
                    subtractsLast
                    ? arithmetic.multiplyAdd(p, gradient, initial) - one * gradient
                    : arithmetic.multiplyAdd(p - one, gradient, initial)
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
    ]
}
