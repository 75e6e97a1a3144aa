import Tensors

/// Normalises each row to zero mean and unit variance, then scales and shifts it.
///
///     out = weight · (inp − mean) · rstd + bias,   rstd = 1/√(var + 1e-5), var biased (÷ C)
///     norm = (inp − mean) · rstd,  g = weight · dout
///     dinp += rstd · (g − mean(g) − norm · mean(g · norm))
///     dweight += Σ_rows dout · norm,   dbias += Σ_rows dout
///
/// - Shapes: inp, out, dinp, dout (B, T, C); mean, rstd (B, T); weight, bias, dweight, dbias (C).
/// - Rounding: the mean is a sum of C terms and a division, or Welford's: ε = M = (C + 1)·mean |inp|. With S = M·rstd,
///   rstd errs by a relative R = ½·C + 7 + σ·rstd·S + ½·u·S²: half of the C + 6 roundings of the variance, the root and
///   its reciprocal; Welford's deviations from running means, which miss by up to M; and the square of the mean's error,
///   all that it adds to the variance about it. norm is made as (inp − mean)·rstd or as inp·a + (bias − mean·a) with
///   a = rstd or weight·rstd. With N = (|inp| + |mean|)·rstd, out has
///   ε = |weight|·(S + 2·N + (R + 3)·|norm|) + |bias| + |out|. One pass, as mean inp² − mean², does not keep to it.
///   Backward, g·norm may be summed as g·inp and mean·g: with G = |weight·dout|, dinp has
///   ε = rstd·(5·G + (C + 8)·mean G + (C + 10)·N·mean(G·N)) + |result|, dweight, of n = B·T addends,
///   (n + 1)·(|initial| + Σ |dout·norm|) + Σ |dout|·(N + |norm|), dbias n·(|initial| + Σ |dout|).
///
/// Source: Ba et al. 2016, arXiv:1607.06450; `torch.nn.LayerNorm`; llm.c `layernorm_forward`.
public enum LayerNorm {
    /// Added to the variance.
    public static let eps = 1e-5

    /// out = weight · (inp − mean) · rstd + bias
    public struct Forward<Scalar: KernelScalar>: Kernel {
        public static var name: KernelName { KernelName("layernorm", .forward) }

        public var out: MutableView<Scalar> = .empty
        public var mean: MutableView<Scalar> = .empty
        public var rstd: MutableView<Scalar> = .empty
        public var inp: View<Scalar> = .empty
        public var weight: View<Scalar> = .empty
        public var bias: View<Scalar> = .empty
        public var B = 0
        public var T = 0
        public var C = 0

        public init() {}

        public init(
            out: MutableView<Scalar>, mean: MutableView<Scalar>, rstd: MutableView<Scalar>, inp: View<Scalar>,
            weight: View<Scalar>, bias: View<Scalar>, B: Int, T: Int, C: Int
        ) {
            self.out = out
            self.mean = mean
            self.rstd = rstd
            self.inp = inp
            self.weight = weight
            self.bias = bias
            self.B = B
            self.T = T
            self.C = C
        }

        public mutating func visit(_ visitor: inout some ArgumentVisitor<Scalar>) {
            visitor.size("B", &B)
            visitor.size("T", &T)
            visitor.size("C", &C)
            visitor.output("out", &out, B, T, C, roundings: C + 12)
            visitor.output("mean", &mean, B, T, roundings: C + 1)
            visitor.output("rstd", &rstd, B, T, roundings: C + 7)
            visitor.input("inp", &inp, B, T, C)
            visitor.input("weight", &weight, C)
            visitor.input("bias", &bias, C)
        }

        public var cost: Cost { Cost(operations: 8 * B * T * C, elements: 2 * B * T * C) }
    }

    /// dinp += rstd · (g − mean(g) − norm · mean(g · norm)), dweight += Σ dout · norm, dbias += Σ dout
    public struct Backward<Scalar: KernelScalar>: Kernel {
        public static var name: KernelName { KernelName("layernorm", .backward) }

        public var dinp: MutableView<Scalar> = .empty
        public var dweight: MutableView<Scalar> = .empty
        public var dbias: MutableView<Scalar> = .empty
        public var dout: View<Scalar> = .empty
        public var inp: View<Scalar> = .empty
        public var weight: View<Scalar> = .empty
        public var mean: View<Scalar> = .empty
        public var rstd: View<Scalar> = .empty
        public var B = 0
        public var T = 0
        public var C = 0

        public init() {}

        public init(
            dinp: MutableView<Scalar>, dweight: MutableView<Scalar>, dbias: MutableView<Scalar>, dout: View<Scalar>,
            inp: View<Scalar>, weight: View<Scalar>, mean: View<Scalar>, rstd: View<Scalar>, B: Int, T: Int, C: Int
        ) {
            self.dinp = dinp
            self.dweight = dweight
            self.dbias = dbias
            self.dout = dout
            self.inp = inp
            self.weight = weight
            self.mean = mean
            self.rstd = rstd
            self.B = B
            self.T = T
            self.C = C
        }

        public mutating func visit(_ visitor: inout some ArgumentVisitor<Scalar>) {
            visitor.size("B", &B)
            visitor.size("T", &T)
            visitor.size("C", &C)
            visitor.accumulator("dinp", &dinp, B, T, C, roundings: C + 10)
            visitor.accumulator("dweight", &dweight, C, roundings: B * T + 3)
            visitor.accumulator("dbias", &dbias, C, roundings: B * T)
            visitor.input("dout", &dout, B, T, C)
            visitor.input("inp", &inp, B, T, C)
            visitor.input("weight", &weight, C)
            visitor.input("mean", &mean, B, T)
            visitor.input("rstd", &rstd, B, T)
        }

        public var cost: Cost { Cost(operations: 16 * B * T * C, elements: 4 * B * T * C) }
    }
}
