import Foundation
import Tensors

/// The Gaussian error linear unit, in its tanh form.
///
///     out = 0.5·x·(1 + tanh s),   s = √(2/π)·(x + 0.044715·x³),   x = inp
///     dinp += dout · (0.5·(1 + tanh s) + 0.5·x·(1 − tanh² s)·s′),   s′ = √(2/π)·(1 + 3·0.044715·x²)
///
/// - Shapes: all (N).
///
/// Source: Hendrycks and Gimpel 2016, arXiv:1606.08415; `torch.nn.GELU(approximate="tanh")`; llm.c `gelu_forward`.
public enum GELU {
    /// √(2/π)
    public static let scale = 0.797_884_560_802_865_4
    /// The weight of the cubic term.
    public static let cubic = 0.044715

    /// out = 0.5·x·(1 + tanh s)
    public struct Forward<Scalar: KernelScalar>: Kernel {
        public typealias InDouble = Forward<Double>
        public static var name: KernelName { KernelName("gelu", .forward) }

        public var out: MutableView<Scalar> = .empty
        public var inp: View<Scalar> = .empty
        public var N = 0

        public init() {}

        public init(out: MutableView<Scalar>, inp: View<Scalar>, N: Int) {
            (self.out, self.inp, self.N) = (out, inp, N)
        }

        public mutating func bind(_ b: inout Binder<Scalar>) {
            let N = b.size("N", &N)
            b.output("out", &out, [N], roundings: Int(RoundingError.elementary) + 4, independent: [N])
            b.input("inp", &inp, [N], .wide)
        }

        public var cost: Cost { Cost(operations: 9 * N, elements: 2 * N) }
    }

    /// dinp += dout · gelu′(x)
    public struct Backward<Scalar: KernelScalar>: BackwardKernel {
        public typealias InDouble = Backward<Double>
        public static var name: KernelName { KernelName("gelu", .backward) }
        public static var derivative: Derivative<Scalar> { Derivative(of: Forward<Scalar>.self) }

        public var dinp: MutableView<Scalar> = .empty
        public var inp: View<Scalar> = .empty
        public var dout: View<Scalar> = .empty
        public var N = 0
        public var overwrites: Overwriting = []

        public init() {}

        public init(
            dinp: MutableView<Scalar>, inp: View<Scalar>, dout: View<Scalar>, N: Int, overwrites: Overwriting = []
        ) {
            (self.dinp, self.inp, self.dout) = (dinp, inp, dout)
            (self.N, self.overwrites) = (N, overwrites)
        }

        public mutating func bind(_ b: inout Binder<Scalar>) {
            b.overwriting(&overwrites)
            let N = b.size("N", &N)
            b.gradient(
                "dinp", &dinp, [N], of: .activations, roundings: 2 * Int(RoundingError.elementary) + 4,
                independent: [N])
            b.input("inp", &inp, [N], .wide)
            b.input("dout", &dout, [N], .wide)
        }

        public var cost: Cost { Cost(operations: 18 * N, elements: 4 * N) }
    }

    /// The curve at a point, with its errors.
    ///
    /// tanh s errs by τ, the larger of 4 ulp and of what it loses where it is made of one exp, as 1 − 2/(1 + exp 2s) or as
    /// 2σ(2s) − 1, with E = ``RoundingError/elementary``. The roundings of s, 3 and 4 more in its cubic part f, reach it as σ:
    ///
    ///     τ = max(4 ulp, ½·E·sech² s + 3 − tanh s)
    ///     σ = (3 + 4·f)·|s|·sech² s,   f = c·x²/(1 + c·x²),   c = 0.044715
    fileprivate struct Curve {
        let tanhS, sech2, slope, τ, σ: Double

        init(at x: Double) {
            let square = cubic * x * x
            let s = scale * (x + square * x)
            tanhS = tanh(s)
            // Beyond, cosh overflows and sech² is 0.
            let coshS = cosh(min(max(s, -300), 300))
            sech2 = 1 / (coshS * coshS)
            slope = scale * (1 + 3 * square)
            let magnitude = min(abs(tanhS), 1 - 0x1p-25)
            let ulps = 4 * (magnitude == 0 ? 1 : 2 * magnitude.binade)
            τ = max(ulps, RoundingError.elementary / 2 * sech2 + 3 - tanhS)
            σ = abs(s) > 300 ? 0 : (3 + 4 * square / (1 + square)) * abs(s) * sech2
        }
    }
}

extension GELU.Forward: KernelInDouble where Scalar == Double {
    /// The sum 1 + tanh s and the product round relative to out; with τ and σ, the errors of tanh s and of s:
    ///
    ///     ε out = ½·|x|·(τ + σ) + 2·|out|
    public func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        for i in 0..<N {
            let curve = GELU.Curve(at: inp[i])
            ε.out[i] = abs(inp[i]) / 2 * (curve.τ + curve.σ) + 2 * abs(out[i])
        }
    }
}

extension GELU.Backward: KernelInDouble where Scalar == Double {
    /// sech² errs by h, the larger of what it has as 1 − tanh² and as 1/cosh², and by 2·|tanh s|·σ; s′ and the products
    /// round 5 times, and 3 more in the square's part f′:
    ///
    ///     h  = max(2·|tanh s|·τ + tanh² s + sech² s, (2·E + 4)·sech² s)
    ///     f′ = 3·c·x²/(1 + 3·c·x²)
    ///
    ///     ε dinp = |dout|·(½·(τ + σ + 1 + tanh s) + ½·|x|·s′·(h + 2·|tanh s|·σ + (5 + 3·f′)·sech² s) + 2·|gelu′|)
    ///            + |dinp|
    public func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        for i in 0..<N {
            let (x, at) = (inp[i], GELU.Curve(at: inp[i]))
            let square = 3 * GELU.cubic * x * x
            let h = max(
                2 * abs(at.tanhS) * at.τ + at.tanhS * at.tanhS + at.sech2,
                (2 * RoundingError.elementary + 4) * at.sech2)
            let bySech2 = h + 2 * abs(at.tanhS) * at.σ + (5 + 3 * square / (1 + square)) * at.sech2
            let derivative = (1 + at.tanhS + x * at.slope * at.sech2) / 2
            let error =
                (at.τ + at.σ + 1 + at.tanhS) / 2 + abs(x) / 2 * at.slope * bySech2 + 2 * abs(derivative)
            ε.dinp[i] = abs(dout[i]) * error + abs(dinp[i])
        }
    }
}
