import KernelCatalog
import Kernels
import Tensors

/// Scales each row to a root mean square of one: an operation that GPT-2 does not have.
///
///     out = weight · inp · rstd,   rstd = 1/√(mean inp² + 1e-5)
///     norm = inp · rstd,   g = weight · dout
///     dinp += rstd · (g − norm · mean(g · norm)),   dweight += Σ_rows dout · norm
///
/// - Shapes: inp, out, dinp, dout (B, T, C); rstd (B, T); weight, dweight (C).
///
/// Source: Zhang and Sennrich 2019, Root mean square layer normalization, arXiv:1910.07467.
enum RMSNorm {
    static let eps = 1e-5

    struct Forward<Scalar: KernelScalar>: Kernel {
        typealias InDouble = Forward<Double>
        static var name: KernelName { KernelName("rmsnorm", .forward) }

        var out: MutableView<Scalar> = .empty
        var rstd: MutableView<Scalar> = .empty
        var inp: View<Scalar> = .empty
        var weight: View<Scalar> = .empty
        var (B, T, C) = (0, 0, 0)

        mutating func bind(_ b: inout Binder<Scalar>) {
            let (B, T, C) = (b.size("B", &B), b.size("T", &T), b.size("C", &C))
            b.output("out", &out, [B, T, C], roundings: C.extent + 8, independent: [B, T])
            b.output("rstd", &rstd, [B, T], roundings: C.extent + 8, independent: [B, T])
            b.input("inp", &inp, [B, T, C], .wide)
            b.input("weight", &weight, [C], .wide)
        }

        var cost: Cost { Cost(operations: 4 * B * T * C, elements: 2 * B * T * C) }
    }

    struct Backward<Scalar: KernelScalar>: BackwardKernel {
        typealias InDouble = Backward<Double>
        static var name: KernelName { KernelName("rmsnorm", .backward) }
        static var derivative: Derivative<Scalar> { Derivative(of: Forward<Scalar>.self) }

        var dinp: MutableView<Scalar> = .empty
        var dweight: MutableView<Scalar> = .empty
        var dout: View<Scalar> = .empty
        var inp: View<Scalar> = .empty
        var weight: View<Scalar> = .empty
        var rstd: View<Scalar> = .empty
        var (B, T, C) = (0, 0, 0)
        var overwrites: Overwriting = []

        mutating func bind(_ b: inout Binder<Scalar>) {
            b.overwriting(&overwrites)
            let (B, T, C) = (b.size("B", &B), b.size("T", &T), b.size("C", &C))
            b.gradient("dinp", &dinp, [B, T, C], of: .activations, roundings: C.extent + 10, independent: [B, T])
            b.gradient(
                "dweight", &dweight, [C], of: .parameters, roundings: B.extent * T.extent + 3, independent: [C])
            b.input("dout", &dout, [B, T, C], .wide)
            b.input("inp", &inp, [B, T, C], .wide)
            b.input("weight", &weight, [C], .wide)
            b.input("rstd", &rstd, [B, T], .nearOne)
        }

        var cost: Cost { Cost(operations: 10 * B * T * C, elements: 4 * B * T * C) }
    }
}

extension RMSNorm.Forward: KernelInDouble where Scalar == Double {
    /// Half of the C + 2 roundings of the mean square, the root and its reciprocal; two products:
    ///
    ///     ε rstd = rstd·(½·C + 4)
    ///     ε out  = |out|·(½·C + 6)
    ///
    /// where C is the error of the sum, relative to it.
    func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        for row in 0..<B * T {
            var (sum, terms) = (0.0, 0.0)
            for i in row * C..<(row + 1) * C {
                sum += inp[i] * inp[i]
                terms += law.term(inp[i] * inp[i], of: C)
            }
            let bySum = sum == 0 ? 0 : law.sum(terms, of: C, total: sum) / sum / 2
            ε.rstd[row] = rstd[row] * (bySum + 4)
            for i in row * C..<(row + 1) * C { ε.out[i] = abs(out[i]) * (bySum + 6) }
        }
    }
}

extension RMSNorm.Backward: KernelInDouble where Scalar == Double {
    /// With G = |weight·dout| and n = B·T addends:
    ///
    ///     ε dinp    = rstd·(4·G + (C + 8)·|norm|·mean(G·|norm|)) + |dinp|
    ///     ε dweight = (n + 2)·(|initial| + Σ |dout·norm|)
    func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        let n = B * T + 2
        for c in 0..<C { ε.dweight[c] = law.term(start.dweight[c], of: n) }
        for row in 0..<B * T {
            func norm(_ c: Int) -> Double { inp[row * C + c] * rstd[row] }
            func g(_ c: Int) -> Double { weight[c] * dout[row * C + c] }
            var (sum, terms) = (0.0, 0.0)
            for c in 0..<C {
                sum += g(c) * norm(c)
                terms += law.term(g(c) * norm(c), of: C + 8)
            }
            let mean = law.sum(terms, of: C + 8, total: sum) / Double(C)
            for c in 0..<C {
                let i = row * C + c
                ε.dinp[i] = rstd[row] * (4 * abs(g(c)) + abs(norm(c)) * mean) + abs(dinp[i])
                ε.dweight[c] += law.term(dout[i] * norm(c), of: n)
            }
        }
        for c in 0..<C { ε.dweight[c] = law.sum(ε.dweight[c], of: n, total: dweight[c]) }
    }
}

// MARK: - The reference

extension RMSNorm {
    @Sendable static func forward<S>(_ a: Forward<S>) {
        for row in 0..<a.B * a.T {
            var squares = 0.0
            for i in row * a.C..<(row + 1) * a.C { squares += Double(a.inp[i]) * Double(a.inp[i]) }
            let rstd = 1 / (squares / Double(a.C) + eps).squareRoot()
            for c in 0..<a.C { a.out[row * a.C + c] = S(Double(a.inp[row * a.C + c]) * rstd * Double(a.weight[c])) }
            a.rstd[row] = S(rstd)
        }
    }

    @Sendable static func backward<S>(_ a: Backward<S>) {
        for row in 0..<a.B * a.T {
            func norm(_ c: Int) -> Double { Double(a.inp[row * a.C + c]) * Double(a.rstd[row]) }
            func g(_ c: Int) -> Double { Double(a.weight[c]) * Double(a.dout[row * a.C + c]) }
            let mean = (0..<a.C).reduce(0) { $0 + g($1) * norm($1) } / Double(a.C)
            for c in 0..<a.C {
                let i = row * a.C + c
                a.dinp[i] = S(Double(a.dinp[i]) + Double(a.rstd[row]) * (g(c) - norm(c) * mean))
            }
        }
        for c in 0..<a.C {
            let sum = (0..<a.B * a.T).reduce(0) { sum, row in
                sum + Double(a.dout[row * a.C + c]) * Double(a.inp[row * a.C + c]) * Double(a.rstd[row])
            }
            a.dweight[c] = S(Double(a.dweight[c]) + sum)
        }
    }
}

// MARK: - The catalog entry

extension KernelCatalog {
    /// GPT-2's kernels and this one.
    static let withRMSNorm = standard.adding(
        reference: [Implementation("reference", RMSNorm.forward), Implementation("reference", RMSNorm.backward)],
        exact: [Implementation("reference", RMSNorm.forward), Implementation("reference", RMSNorm.backward)])
}
