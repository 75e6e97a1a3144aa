import Foundation
import Kernels
import Tensors

struct GELUForwardRecipe: Recipe {
    var arithmetic = Arithmetic()
    /// Whether tanh is 1 − 2/(exp(2s) + 1), as where only exp is at hand.
    var usesExp = false
    var elementary = Elementary.exact
    var scale = Float(GELU.scale)
    var cubic = Float(GELU.cubic)
    var half: Float = 0.5
    /// Another function in its place.
    var other: (@Sendable (Float) -> Float)?

    mutating func choose(using generator: inout SplitMix64) {
        usesExp = Bool.random(using: &generator)
        elementary = .random(using: &generator)
    }

    func run(_ a: GELU.Forward<Float>, _ workers: Workers) {
        workers.forEach(a.N) { i in
            let x = a.inp[i]
            let s = scale * arithmetic.multiplyAdd(cubic * x * x, x, x)
            a.out[i] = other?(x) ?? half * x * (1 + elementary.tanh(s, usesExp: usesExp))
        }
    }

    static let faults: [Change<Self>] = [
        Change("0.044715 made 0.0447") { $0.cubic = 0.0447 },
        Change("0.044715 made 0.044716") { $0.cubic = 0.044716 },
        Change("√(2/π) made 0.798") { $0.scale = 0.798 },
        Change("√(2/π) made 0.79788") { $0.scale = 0.79788 },
        Change("no cubic term") { $0.cubic = 0 },
        Change("the factor 1/2 left out") { $0.half = 1 },
        Change("the exact form, with erf") { $0.other = { 0.5 * $0 * (1 + erf($0 * 0.70710678)) } },
        Change("x · sigmoid(1.702 x)") { $0.other = { $0 / (1 + exp(-1.702 * $0)) } },
        Change("ReLU") { $0.other = { max($0, 0) } },
    ]
}

struct GELUBackwardRecipe: Recipe {
    var arithmetic = Arithmetic()
    /// Whether tanh is 1 − 2/(exp(2s) + 1), as where only exp is at hand.
    var usesExp = false
    var elementary = Elementary.exact
    var scale = Float(GELU.scale)
    var cubic = Float(GELU.cubic)
    var slopeFactor: Float = 3
    var hasSlope = true
    var squares = true
    var usesDout = true

    mutating func choose(using generator: inout SplitMix64) {
        usesExp = Bool.random(using: &generator)
        elementary = .random(using: &generator)
    }

    func run(_ a: GELU.Backward<Float>, _ workers: Workers) {
        workers.forEach(a.N) { i in
            let x = a.inp[i]
            let s = scale * arithmetic.multiplyAdd(cubic * x * x, x, x)
            let t = elementary.tanh(s, usesExp: usesExp)
            let slope = scale * (1 + slopeFactor * cubic * x * x)
            let tail = hasSlope ? 0.5 * x * (1 - (squares ? t * t : t)) * slope : 0
            let derivative = 0.5 * (1 + t) + tail
            a.dinp[i] += (usesDout ? a.dout[i] : 1) * derivative
        }
    }

    static let faults: [Change<Self>] = [
        Change("0.044715 made 0.0447") { $0.cubic = 0.0447 },
        Change("√(2/π) made 0.798") { $0.scale = 0.798 },
        Change("the factor 3 left out of s′") { $0.slopeFactor = 1 },
        Change("s′ without its cubic term") { $0.slopeFactor = 0 },
        Change("the second term left out") { $0.hasSlope = false },
        Change("1 − tanh, and not its square") { $0.squares = false },
        Change("dout left out") { $0.usesDout = false },
    ]
}

extension Elementary {
    fileprivate func tanh(_ s: Float, usesExp: Bool) -> Float { usesExp ? 1 - 2 / (exp(2 * s) + 1) : tanh(s) }
}
