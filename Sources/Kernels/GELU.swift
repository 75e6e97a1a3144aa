import Tensors

/// The Gaussian error linear unit, in its tanh form.
///
///     out = 0.5·x·(1 + tanh s),   s = √(2/π)·(x + 0.044715·x³),   x = inp
///     dinp += dout · (0.5·(1 + tanh s) + 0.5·x·(1 − tanh² s)·s′),   s′ = √(2/π)·(1 + 3·0.044715·x²)
///
/// - Shapes: all (N).
/// - Rounding: with E = ``transcendentalRoundings``, tanh s errs by τ, the larger of 4 ulp and, where it is made of one
///   exp, as 1 − 2/(1 + exp 2s) or as 2σ(2s) − 1, of ½·E·sech² s + 3 − tanh s. The roundings of s, 3 and 4 more in its
///   cubic part f = c·x²/(1 + c·x²), c = 0.044715, reach it as σ = (3 + 4·f)·|s|·sech² s. The sum 1 + tanh s and the
///   product round relative to out: ε = ½·|x|·(τ + σ) + 2·|out|. Backward: sech² errs by h, the larger of
///   2·|tanh s|·τ + tanh² s + sech² s (as 1 − tanh²) and (2·E + 4)·sech² s (as 1/cosh²), and by 2·|tanh s|·σ;
///   s′ and the products round 5 times, and 3 more in the square's part f′ = 3·c·x²/(1 + 3·c·x²):
///   ε = |dout|·(½·(τ + σ + 1 + tanh s) + ½·|x|·s′·(h + 2·|tanh s|·σ + (5 + 3·f′)·sech² s) + 2·|gelu′|) + |result|.
///
/// Source: Hendrycks and Gimpel 2016, arXiv:1606.08415; `torch.nn.GELU(approximate="tanh")`; llm.c `gelu_forward`.
public enum GELU {
    /// √(2/π)
    public static let scale = 0.797_884_560_802_865_4
    /// The weight of the cubic term.
    public static let cubic = 0.044715

    /// out = 0.5·x·(1 + tanh s)
    public struct Forward<Scalar: KernelScalar>: Kernel {
        public static var name: KernelName { KernelName("gelu", .forward) }

        public var out: MutableView<Scalar> = .empty
        public var inp: View<Scalar> = .empty
        public var N = 0

        public init() {}

        public init(out: MutableView<Scalar>, inp: View<Scalar>, N: Int) {
            self.out = out
            self.inp = inp
            self.N = N
        }

        public mutating func visit(_ visitor: inout some ArgumentVisitor<Scalar>) {
            visitor.size("N", &N)
            visitor.output("out", &out, N, roundings: transcendentalRoundings + 4)
            visitor.input("inp", &inp, N)
        }

        public var cost: Cost { Cost(operations: 9 * N, elements: 2 * N) }
    }

    /// dinp += dout · gelu′(x)
    public struct Backward<Scalar: KernelScalar>: Kernel {
        public static var name: KernelName { KernelName("gelu", .backward) }

        public var dinp: MutableView<Scalar> = .empty
        public var inp: View<Scalar> = .empty
        public var dout: View<Scalar> = .empty
        public var N = 0

        public init() {}

        public init(dinp: MutableView<Scalar>, inp: View<Scalar>, dout: View<Scalar>, N: Int) {
            self.dinp = dinp
            self.inp = inp
            self.dout = dout
            self.N = N
        }

        public mutating func visit(_ visitor: inout some ArgumentVisitor<Scalar>) {
            visitor.size("N", &N)
            visitor.accumulator("dinp", &dinp, N, roundings: 2 * transcendentalRoundings + 4)
            visitor.input("inp", &inp, N)
            visitor.input("dout", &dout, N)
        }

        public var cost: Cost { Cost(operations: 18 * N, elements: 4 * N) }
    }
}
