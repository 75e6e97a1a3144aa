import Tensors

/// A linear layer: each row of the input times the transposed weight, plus a bias.
///
///     out = inp · weightᵀ + bias
///     dinp += dout · weight,   dweight += doutᵀ · inp,   dbias += Σ_rows dout
///
/// - Shapes: inp, dinp (B, T, C); out, dout (B, T, OC); weight, dweight (OC, C); bias, dbias (OC) or none.
///
/// Source: `torch.nn.Linear`; llm.c `matmul_forward`.
public enum Matmul {
    /// out = inp · weightᵀ + bias
    public struct Forward<Scalar: KernelScalar>: Kernel {
        public typealias InDouble = Forward<Double>
        public static var name: KernelName { KernelName("matmul", .forward) }

        public var out: MutableView<Scalar> = .empty
        public var inp: View<Scalar> = .empty
        public var weight: View<Scalar> = .empty
        public var bias: View<Scalar>?
        public var (B, T, C, OC) = (0, 0, 0, 0)

        public init() {}

        public init(
            out: MutableView<Scalar>, inp: View<Scalar>, weight: View<Scalar>, bias: View<Scalar>?,
            B: Int, T: Int, C: Int, OC: Int
        ) {
            (self.out, self.inp, self.weight, self.bias) = (out, inp, weight, bias)
            (self.B, self.T, self.C, self.OC) = (B, T, C, OC)
        }

        public mutating func bind(_ b: inout Binder<Scalar>) {
            let (B, T, C) = (b.size("B", &B), b.size("T", &T), b.size("C", &C))
            let OC = b.size("OC", &OC, isLinear: true)
            b.output("out", &out, [B, T, OC], roundings: C.extent + 1, independent: [B, T, OC])
            b.input("inp", &inp, [B, T, C], .wide)
            b.input("weight", &weight, [OC, C], .wide)
            b.input("bias", optional: &bias, [OC], .wide)
        }

        public var cost: Cost {
            Cost(operations: 2 * B * T * C * OC, elements: B * T * (C + OC) + OC * C)
        }
    }

    /// dinp += dout · weight, dweight += doutᵀ · inp, dbias += Σ dout
    public struct Backward<Scalar: KernelScalar>: BackwardKernel {
        public typealias InDouble = Backward<Double>
        public static var name: KernelName { KernelName("matmul", .backward) }
        public static var derivative: Derivative<Scalar> { Derivative(of: Forward<Scalar>.self) }

        public var dinp: MutableView<Scalar> = .empty
        public var dweight: MutableView<Scalar> = .empty
        public var dbias: MutableView<Scalar>?
        public var dout: View<Scalar> = .empty
        public var inp: View<Scalar> = .empty
        public var weight: View<Scalar> = .empty
        public var (B, T, C, OC) = (0, 0, 0, 0)
        public var overwrites: Overwriting = []

        public init() {}

        public init(
            dinp: MutableView<Scalar>, dweight: MutableView<Scalar>, dbias: MutableView<Scalar>?, dout: View<Scalar>,
            inp: View<Scalar>, weight: View<Scalar>, B: Int, T: Int, C: Int, OC: Int, overwrites: Overwriting = []
        ) {
            (self.dinp, self.dweight, self.dbias) = (dinp, dweight, dbias)
            (self.dout, self.inp, self.weight) = (dout, inp, weight)
            (self.B, self.T, self.C, self.OC, self.overwrites) = (B, T, C, OC, overwrites)
        }

        public mutating func bind(_ b: inout Binder<Scalar>) {
            b.overwriting(&overwrites)
            let (B, T) = (b.size("B", &B), b.size("T", &T))
            let (C, OC) = (b.size("C", &C, isLinear: true), b.size("OC", &OC))
            let rows = B.extent * T.extent
            b.gradient(
                "dinp", &dinp, [B, T, C], of: .activations, roundings: OC.extent + 1, independent: [B, T, C])
            b.gradient("dweight", &dweight, [OC, C], of: .parameters, roundings: rows + 1, independent: [OC, C])
            b.gradient("dbias", optional: &dbias, [OC], of: .parameters, roundings: rows, independent: [OC])
            b.input("dout", &dout, [B, T, OC], .wide)
            b.input("inp", &inp, [B, T, C], .wide)
            b.input("weight", &weight, [OC, C], .wide)
        }

        public var cost: Cost {
            Cost(operations: 4 * B * T * C * OC, elements: B * T * (3 * C + OC) + 3 * OC * C)
        }
    }

    /// The errors of `product` = initial + a·b, given what is there of the initial terms: a's and b's elements lie
    /// by these strides from row to row and from column to column.
    fileprivate static func errors(
        into errors: MutableView<Double>, of product: MutableView<Double>, rows: Int, columns: Int, depth: Int, n: Int,
        by law: ErrorLaw, _ a: View<Double>, stride aStride: (Int, Int), _ b: View<Double>, stride bStride: (Int, Int)
    ) {
        for i in 0..<rows {
            // Along b's rows where they lie close, which are then added to a row of terms.
            if bStride.1 == 1 {
                for k in 0..<depth {
                    law.addTerms(
                        law.term(a[i * aStride.0 + k * aStride.1], of: n), times: b, at: k * bStride.0, count: columns,
                        to: errors, at: i * columns)
                }
            }
            for j in 0..<columns {
                let at = i * columns + j
                if bStride.1 != 1 {
                    func term(_ k: Int) -> Double {
                        law.term(a[i * aStride.0 + k * aStride.1] * b[k * bStride.0 + j * bStride.1], of: n)
                    }
                    // Four sums, so that no addition waits for the one before.
                    var (s0, s1, s2, s3) = (0.0, 0.0, 0.0, 0.0)
                    for k in stride(from: 0, to: depth / 4 * 4, by: 4) {
                        (s0, s1, s2, s3) = (s0 + term(k), s1 + term(k + 1), s2 + term(k + 2), s3 + term(k + 3))
                    }
                    for k in depth / 4 * 4..<depth { s0 += term(k) }
                    errors[at] += s0 + s1 + s2 + s3
                }
                errors[at] = law.sum(errors[at], of: n, total: product[at])
            }
        }
    }
}

extension Matmul.Forward: KernelInDouble where Scalar == Double {
    /// An inner product of n terms rounds n times on each path, in any order of summation, with FMA or not, and once more
    /// for the bias. Schemes that trade multiplications for cancellation, such as Strassen's, do not keep to it.
    ///
    ///     ε out = (C + 1)·(Σ |inp||weight| + |bias|),   C·Σ |inp||weight| without a bias
    ///
    /// Source: Higham 2002, section 3.1.
    public func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        let n = C + (bias == nil ? 0 : 1)
        for i in 0..<out.count { ε.out[i] = law.term(bias.map { $0[i % OC] } ?? 0, of: n) }
        Matmul.errors(
            into: ε.out, of: out, rows: B * T, columns: OC, depth: C, n: n, by: law,
            inp, stride: (C, 1), weight, stride: (1, C))
    }
}

extension Matmul.Backward: KernelInDouble where Scalar == Double {
    /// Inner products, and once more for the accumulator; dbias adds B·T times.
    ///
    ///     ε dinp    = (OC + 1)·(|initial| + Σ |dout||weight|)
    ///     ε dweight = (B·T + 1)·(|initial| + Σ |dout||inp|)
    ///     ε dbias   = B·T·(|initial| + Σ |dout|)
    public func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        let rows = B * T
        for i in 0..<dinp.count { ε.dinp[i] = law.term(start.dinp[i], of: OC + 1) }
        Matmul.errors(
            into: ε.dinp, of: dinp, rows: rows, columns: C, depth: OC, n: OC + 1, by: law,
            dout, stride: (OC, 1), weight, stride: (C, 1))
        for i in 0..<dweight.count { ε.dweight[i] = law.term(start.dweight[i], of: rows + 1) }
        Matmul.errors(
            into: ε.dweight, of: dweight, rows: OC, columns: C, depth: rows, n: rows + 1, by: law,
            dout, stride: (1, OC), inp, stride: (C, 1))
        guard let errors = ε.dbias, let initial = start.dbias, let dbias else { return }
        for o in 0..<OC {
            let first = law.term(initial[o], of: rows)
            let terms = (0..<rows).reduce(first) { $0 + law.term(dout[$1 * OC + o], of: rows) }
            errors[o] = law.sum(terms, of: rows, total: dbias[o])
        }
    }
}
