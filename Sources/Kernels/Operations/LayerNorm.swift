import Tensors

/// Normalises each row to zero mean and unit variance, then scales and shifts it.
///
///     out = weight · (inp − mean) · rstd + bias,   rstd = 1/√(var + 1e-5), var biased (÷ C)
///     norm = (inp − mean) · rstd,   g = weight · dout
///     dinp += rstd · (g − mean(g) − norm · mean(g · norm))
///     dweight += Σ_rows dout · norm,   dbias += Σ_rows dout
///
/// - Shapes: inp, out, dinp, dout (B, T, C); mean, rstd (B, T); weight, bias, dweight, dbias (C).
///
/// Source: Ba et al. 2016, arXiv:1607.06450; `torch.nn.LayerNorm`; llm.c `layernorm_forward`.
public enum LayerNorm {
    /// Added to the variance.
    public static let eps = 1e-5

    /// out = weight · (inp − mean) · rstd + bias
    public struct Forward<Scalar: KernelScalar>: Kernel {
        public typealias InDouble = Forward<Double>
        public static var name: KernelName { KernelName("layernorm", .forward) }

        public var out: MutableView<Scalar> = .empty
        public var mean: MutableView<Scalar> = .empty
        public var rstd: MutableView<Scalar> = .empty
        public var inp: View<Scalar> = .empty
        public var weight: View<Scalar> = .empty
        public var bias: View<Scalar> = .empty
        public var (B, T, C) = (0, 0, 0)

        public init() {}

        public init(
            out: MutableView<Scalar>, mean: MutableView<Scalar>, rstd: MutableView<Scalar>, inp: View<Scalar>,
            weight: View<Scalar>, bias: View<Scalar>, B: Int, T: Int, C: Int
        ) {
            (self.out, self.mean, self.rstd) = (out, mean, rstd)
            (self.inp, self.weight, self.bias) = (inp, weight, bias)
            (self.B, self.T, self.C) = (B, T, C)
        }

        public mutating func bind(_ b: inout Binder<Scalar>) {
            let (B, T, C) = (b.size("B", &B), b.size("T", &T), b.size("C", &C))
            b.output("out", &out, [B, T, C], roundings: C.extent + 12, independent: [B, T])
            b.output(
                "mean", &mean, [B, T], roundings: C.extent + 1, independent: [B, T], nonFinite: .indefinite)
            b.output("rstd", &rstd, [B, T], roundings: C.extent + 7, independent: [B, T])
            b.input("inp", &inp, [B, T, C], .wide)
            b.input("weight", &weight, [C], .wide)
            b.input("bias", &bias, [C], .wide)
        }

        public var cost: Cost { Cost(operations: 8 * B * T * C, elements: 2 * B * T * C) }
    }

    /// dinp += rstd · (g − mean(g) − norm · mean(g · norm)), dweight += Σ dout · norm, dbias += Σ dout
    public struct Backward<Scalar: KernelScalar>: BackwardKernel {
        public typealias InDouble = Backward<Double>
        public static var name: KernelName { KernelName("layernorm", .backward) }
        public static var derivative: Derivative<Scalar> { Derivative(of: Forward<Scalar>.self) }

        public var dinp: MutableView<Scalar> = .empty
        public var dweight: MutableView<Scalar> = .empty
        public var dbias: MutableView<Scalar> = .empty
        public var dout: View<Scalar> = .empty
        public var inp: View<Scalar> = .empty
        public var weight: View<Scalar> = .empty
        public var mean: View<Scalar> = .empty
        public var rstd: View<Scalar> = .empty
        public var (B, T, C) = (0, 0, 0)
        public var overwrites: Overwriting = []

        public init() {}

        public init(
            dinp: MutableView<Scalar>, dweight: MutableView<Scalar>, dbias: MutableView<Scalar>, dout: View<Scalar>,
            inp: View<Scalar>, weight: View<Scalar>, mean: View<Scalar>, rstd: View<Scalar>, B: Int, T: Int, C: Int,
            overwrites: Overwriting = []
        ) {
            (self.dinp, self.dweight, self.dbias) = (dinp, dweight, dbias)
            (self.dout, self.inp, self.weight, self.mean, self.rstd) = (dout, inp, weight, mean, rstd)
            (self.B, self.T, self.C, self.overwrites) = (B, T, C, overwrites)
        }

        public mutating func bind(_ b: inout Binder<Scalar>) {
            b.overwriting(&overwrites)
            let (B, T, C) = (b.size("B", &B), b.size("T", &T), b.size("C", &C))
            let rows = B.extent * T.extent
            b.gradient("dinp", &dinp, [B, T, C], of: .activations, roundings: C.extent + 10, independent: [B, T])
            b.gradient("dweight", &dweight, [C], of: .parameters, roundings: rows + 3, independent: [C])
            b.gradient("dbias", &dbias, [C], of: .parameters, roundings: rows, independent: [C])
            b.input("dout", &dout, [B, T, C], .wide)
            b.input("inp", &inp, [B, T, C], .wide)
            b.input("weight", &weight, [C], .wide)
            b.input("mean", &mean, [B, T], .wide)
            b.input("rstd", &rstd, [B, T], .nearOne)
        }

        public var cost: Cost { Cost(operations: 16 * B * T * C, elements: 4 * B * T * C) }
    }
}

extension LayerNorm.Forward: KernelInDouble where Scalar == Double {
    /// The mean is a sum of C terms and a division, or Welford's. rstd errs by a relative R: half of the C + 6 roundings of
    /// the variance, the root and its reciprocal; Welford's deviations from running means, which miss by ½·M on average;
    /// and the square of the mean's error, all that it adds to the variance about it. norm is made as (inp − mean)·rstd or
    /// as inp·a + (bias − mean·a) with a = rstd or weight·rstd. One pass, as mean inp² − mean², does not keep to it.
    ///
    ///     M = (C + 1)·mean |inp|,   S = M·rstd,   N = (|inp| + |mean|)·rstd
    ///     R = ½·C + 7 + ½·σ·rstd·S + ½·u·S²,   σ² = var
    ///
    ///     ε mean = M
    ///     ε rstd = rstd·R
    ///     ε out  = |weight|·(S + 2·N + (R + 3)·|norm|) + |bias| + |out|
    public func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        let n = Double(C)
        for row in 0..<B * T {
            let elements = row * C..<(row + 1) * C
            let (mean, rstd) = (mean[row], rstd[row])
            let M = law.sum(elements.reduce(0) { $0 + law.term(inp[$1], of: C + 1) }, of: C + 1, total: n * mean) / n
            var (squares, terms) = (0.0, 0.0)
            for i in elements {
                let square = (inp[i] - mean) * (inp[i] - mean)
                squares += square
                terms += law.term(square, of: C)
            }
            let σ = (squares / n).squareRoot()
            let S = M * rstd
            // Relative to a variance of 0, which only eps adds to, they are nothing.
            let byVariance = squares == 0 ? 0 : law.sum(terms, of: C, total: squares) / squares
            let R = byVariance / 2 + 7 + σ * rstd * S / 2 + Float.unitRoundoff * S * S / 2
            ε.mean[row] = M
            ε.rstd[row] = rstd * R
            for i in elements {
                let (norm, N) = (abs(inp[i] - mean) * rstd, (abs(inp[i]) + abs(mean)) * rstd)
                ε.out[i] = abs(weight[i % C]) * (S + 2 * N + (R + 3) * norm) + abs(bias[i % C]) + abs(out[i])
            }
        }
    }
}

extension LayerNorm.Backward: KernelInDouble where Scalar == Double {
    /// g·norm may be summed as g·inp and mean·g. With G = |weight·dout|, N = (|inp| + |mean|)·rstd and n = B·T addends of
    /// a parameter's gradient:
    ///
    ///     ε dinp    = rstd·(5·G + (C + 8)·mean G + (C + 10)·N·mean(G·N)) + |dinp|
    ///     ε dweight = (n + 1)·(|initial| + Σ |dout·norm|) + Σ |dout|·(N + |norm|)
    ///     ε dbias   = n·(|initial| + Σ |dout|)
    public func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        let (n, rows) = (Double(C), B * T)
        for c in 0..<C {
            ε.dweight[c] = law.term(start.dweight[c], of: rows + 1)
            ε.dbias[c] = law.term(start.dbias[c], of: rows)
        }
        for row in 0..<rows {
            let (mean, rstd) = (mean[row], rstd[row])
            func g(_ c: Int) -> Double { weight[c] * dout[row * C + c] }
            func N(_ c: Int) -> Double { (abs(inp[row * C + c]) + abs(mean)) * rstd }
            var (sumG, sumGNorm, termsG, termsGN) = (0.0, 0.0, 0.0, 0.0)
            for c in 0..<C {
                sumG += g(c)
                sumGNorm += g(c) * (inp[row * C + c] - mean) * rstd
                termsG += law.term(g(c), of: C + 8)
                termsGN += law.term(g(c) * N(c), of: C + 10)
            }
            let errorG = law.sum(termsG, of: C + 8, total: sumG) / n
            let errorGN = law.sum(termsGN, of: C + 10, total: abs(sumGNorm) + abs(sumG * mean) * rstd) / n
            for c in 0..<C {
                let (i, d) = (row * C + c, abs(dout[row * C + c]))
                let norm = abs(inp[i] - mean) * rstd
                ε.dinp[i] = rstd * (5 * abs(g(c)) + errorG + N(c) * errorGN) + abs(dinp[i])
                ε.dweight[c] += law.term(d * norm, of: rows + 1, error: d * (N(c) + norm))
                ε.dbias[c] += law.term(d, of: rows)
            }
        }
        for c in 0..<C {
            ε.dweight[c] = law.sum(ε.dweight[c], of: rows + 1, total: dweight[c])
            ε.dbias[c] = law.sum(ε.dbias[c], of: rows, total: dbias[c])
        }
    }
}
