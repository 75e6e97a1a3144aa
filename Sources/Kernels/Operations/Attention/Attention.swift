import Tensors

/// Causal multi-head self-attention.
///
///     preatt[t,t2] = q_t · k_t2 / √hs for t2 ≤ t,   att = softmax over t2 ≤ t, 0 above the diagonal,   out = att · v
///     datt += dout · vᵀ,   dpreatt += att · (datt − Σ att·datt)
///     dq += dpreatt · k / √hs,   dk += dpreattᵀ · q / √hs,   dv += attᵀ · dout
///
/// Backward reads the whole of datt and dpreatt: what was in them before is a gradient too.
///
/// - Shapes: inp, dinp (B, T, 3C), each row q, k, v, each (NH, hs), hs = C/NH; out, dout (B, T, C);
///   preatt, att, dpreatt, datt (B, NH, T, T). Above the diagonal preatt, dpreatt and datt are unspecified.
///
/// Source: Vaswani et al. 2017, arXiv:1706.03762; llm.c `attention_forward`.
public enum Attention {
    /// out = softmax(q · kᵀ / √hs, causal) · v
    public struct Forward<Scalar: KernelScalar>: Kernel {
        public typealias InDouble = Forward<Double>
        public static var name: KernelName { KernelName("attention", .forward) }

        public var out: MutableView<Scalar> = .empty
        public var preatt: MutableView<Scalar> = .empty
        public var att: MutableView<Scalar> = .empty
        public var inp: View<Scalar> = .empty
        public var (B, T, C, NH) = (0, 0, 0, 0)

        public init() {}

        public init(
            out: MutableView<Scalar>, preatt: MutableView<Scalar>, att: MutableView<Scalar>, inp: View<Scalar>,
            B: Int, T: Int, C: Int, NH: Int
        ) {
            (self.out, self.preatt, self.att, self.inp) = (out, preatt, att, inp)
            (self.B, self.T, self.C, self.NH) = (B, T, C, NH)
        }

        public mutating func bind(_ b: inout Binder<Scalar>) {
            let (B, T) = (b.size("B", &B), b.size("T", &T))
            let (C, NH, hs) = b.heads(&C, &NH)
            let E = Int(RoundingError.elementary)
            b.output(
                "out", &out, [B, T, C], roundings: hs.extent + 2 * T.extent + 2 * E + 8, independent: [B, NH],
                causal: T,
                nonFinite: .spreading)
            b.output(
                "preatt", &preatt, [B, NH, T, T], roundings: hs.extent + 3, independent: [B, NH], causal: T,
                coverage: .causal)
            b.output(
                "att", &att, [B, NH, T, T], roundings: hs.extent + T.extent + 2 * E + 8, independent: [B, NH], causal: T
            )
            b.input("inp", &inp, [B, T, 3 * C], .wide)
        }

        public var cost: Cost {
            // Half of the T×T matrix; two inner products and five operations of softmax for each of its elements.
            let pairs = B * NH * T * (T + 1) / 2
            return Cost(operations: pairs * (4 * C / max(NH, 1) + 5), elements: 4 * B * T * C + 4 * pairs)
        }
    }

    /// dq, dk, dv += their gradients, by way of datt and dpreatt
    public struct Backward<Scalar: KernelScalar>: BackwardKernel {
        public typealias InDouble = Backward<Double>
        public static var name: KernelName { KernelName("attention", .backward) }
        public static var derivative: Derivative<Scalar> { Derivative(of: Forward<Scalar>.self) }

        public var dinp: MutableView<Scalar> = .empty
        public var dpreatt: MutableView<Scalar> = .empty
        public var datt: MutableView<Scalar> = .empty
        public var dout: View<Scalar> = .empty
        public var inp: View<Scalar> = .empty
        public var att: View<Scalar> = .empty
        public var (B, T, C, NH) = (0, 0, 0, 0)
        public var overwrites: Overwriting = []

        public init() {}

        public init(
            dinp: MutableView<Scalar>, dpreatt: MutableView<Scalar>, datt: MutableView<Scalar>, dout: View<Scalar>,
            inp: View<Scalar>, att: View<Scalar>, B: Int, T: Int, C: Int, NH: Int, overwrites: Overwriting = []
        ) {
            (self.dinp, self.dpreatt, self.datt) = (dinp, dpreatt, datt)
            (self.dout, self.inp, self.att) = (dout, inp, att)
            (self.B, self.T, self.C, self.NH, self.overwrites) = (B, T, C, NH, overwrites)
        }

        public mutating func bind(_ b: inout Binder<Scalar>) {
            b.overwriting(&overwrites)
            let (B, T) = (b.size("B", &B), b.size("T", &T))
            let (C, NH, hs) = b.heads(&C, &NH)
            b.gradient(
                "dinp", &dinp, [B, T, 3 * C], of: .activations, roundings: hs.extent + 2 * T.extent + 8,
                independent: [B, NH], nonFinite: .spreading)
            b.gradient(
                "dpreatt", &dpreatt, [B, NH, T, T], of: .activations, roundings: hs.extent + T.extent + 4,
                independent: [B, NH], nonFinite: .spreading, coverage: .causal)
            b.gradient(
                "datt", &datt, [B, NH, T, T], of: .activations, roundings: hs.extent + 1, independent: [B, NH],
                coverage: .causal)
            b.input("dout", &dout, [B, T, C], .wide)
            b.input("inp", &inp, [B, T, 3 * C], .wide)
            b.input("att", &att, [B, NH, T, T], .wide)
        }

        public var cost: Cost {
            let pairs = B * NH * T * (T + 1) / 2
            return Cost(operations: pairs * (8 * C / max(NH, 1) + 5), elements: 10 * B * T * C + 5 * pairs)
        }
    }
}

extension Attention.Forward: KernelInDouble where Scalar == Double {
    /// With ε_p, x and s of ``ScoreRow``, and L = t + 1 terms in row t:
    ///
    ///     ε preatt = ε_p
    ///     ε att    = att·(x + s + 2), at least what may be flushed;   0 above the diagonal
    ///     ε out    = Σ_j att_j·(x_j + L + 2)·|v_j| + s·|out|
    public func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        ε.preatt.fill(0)
        ε.att.fill(0)
        PackedToken.forEach(B: B, T: T, C: C, NH: NH) { token in
            let row = ScoreRow(inp, at: token.q, inp, at: token.keys, hs: C / NH, by: law)
            for j in 0..<row.count {
                ε.preatt[token.entries + j] = row.scoreErrors[j]
                ε.att[token.entries + j] = max(
                    row.att[j] * (row.exponentialErrors[j] + row.sumError + 2), RoundingError.flushed)
            }
            row.outErrors(into: ε.out, out, at: token.o, inp, at: token.values, hs: C / NH)
        }
    }
}

extension Attention.Backward: KernelInDouble where Scalar == Double {
    /// att is taken as it is. With L = t + 1 terms in row t, and T − t rows that see token t:
    ///
    ///     ε datt    = (hs + 1)·(|initial| + Σ |dout||v|)
    ///     ε dpreatt = L·|initial| + att·(ε_datt + Σ att·ε_datt + (L + 3)·(|datt| + Σ att·|datt|))
    ///     ε dq      = L·|initial| + Σ (ε_dpreatt + (L + 3)·|dpreatt|)·|k| / √hs
    ///     ε dk      = (T − t)·|initial| + Σ (ε_dpreatt + (T − t + 3)·|dpreatt|)·|q| / √hs
    ///     ε dv      = (T − t)·|initial| + (T − t + 1)·Σ att·|dout|
    ///
    /// In dq and dk ε_dpreatt is at least that of hs + T + 5 roundings that underflow, which key and query magnify.
    public func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        let (hs, scale) = (C / NH, 1 / Double(C / NH).squareRoot())
        PackedToken.beginSums(into: ε.dinp, from: start.dinp, T: T, C: C, by: law)
        ε.dpreatt.fill(0)
        ε.datt.fill(0)
        PackedToken.forEach(B: B, T: T, C: C, NH: NH) { token in
            let seen = token.keys.count
            let entries = token.entries..<token.entries + seen
            for (entry, v) in zip(entries, token.values) {
                var terms = law.term(start.datt[entry], of: hs + 1)
                for i in 0..<hs { terms += law.term(dout[token.o + i] * inp[v + i], of: hs + 1) }
                ε.datt[entry] = law.sum(terms, of: hs + 1, total: datt[entry])
            }
            var (terms, expectation) = (0.0, 0.0)
            for entry in entries {
                expectation += att[entry] * datt[entry]
                terms += law.term(att[entry] * datt[entry], of: seen + 3, error: att[entry] * ε.datt[entry])
            }
            for (t2, entry) in entries.enumerated() {
                let (k, v, seeing) = (token.keys[t2], token.values[t2], T - t2)
                let (initial, own) = (start.dpreatt[entry], datt[entry])
                let derivative = law.sum(
                    terms + law.term(own, of: seen + 3), of: seen + 3, total: abs(own) + abs(expectation))
                ε.dpreatt[entry] =
                    law.sum(law.term(initial, of: seen), of: seen, total: initial)
                    + abs(att[entry]) * (ε.datt[entry] + derivative)
                let error = scale * max(ε.dpreatt[entry], Double(hs + T + 5) * RoundingError.underflow)
                let value = scale * dpreatt[entry]
                let (byKey, byQuery) = (
                    law.term(value, of: seen + 3, error: error), law.term(value, of: seeing + 3, error: error)
                )
                law.addTerms(byKey, times: inp, at: k, count: hs, to: ε.dinp, at: token.q)
                law.addTerms(byQuery, times: inp, at: token.q, count: hs, to: ε.dinp, at: k)
                law.addTerms(
                    law.term(att[entry], of: seeing + 1), times: dout, at: token.o, count: hs, to: ε.dinp, at: v)
            }
        }
        PackedToken.endSums(in: ε.dinp, of: dinp, T: T, C: C, by: law)
    }
}
