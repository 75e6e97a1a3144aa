import Foundation
import Tensors

/// ``Attention`` that keeps no (T, T) matrix: backward computes the probabilities again.
///
///     p[t,t2] = q_t · k_t2 / √hs for t2 ≤ t,   lse[t] = log Σ exp(p[t]),   out[t] = Σ exp(p[t] − lse[t]) · v
///     att = exp(p − lse),   ds = att · (dout · vᵀ − Σ dout·out)
///     dq += ds · k / √hs,   dk += dsᵀ · q / √hs,   dv += attᵀ · dout
///
/// - Shapes: inp, dinp (B, T, 3C), each row q, k, v, each (NH, hs), hs = C/NH; out, dout (B, T, C); lse (B, NH, T).
///
/// Source: Dao et al. 2022, FlashAttention, arXiv:2205.14135; Rabe and Staats 2021, arXiv:2112.05682.
public enum FlashAttention {
    /// out = softmax(q · kᵀ / √hs, causal) · v, and the logarithm of each row's sum
    public struct Forward<Scalar: KernelScalar>: FusedKernel {
        public typealias InDouble = Forward<Double>
        public static var name: KernelName { KernelName("flash_attention", .forward) }
        public static var parts: [any Kernel<Scalar>.Type] {
            [Attention.Forward<Scalar>.self]
        }

        public var out: MutableView<Scalar> = .empty
        public var lse: MutableView<Scalar> = .empty
        public var inp: View<Scalar> = .empty
        public var (B, T, C, NH) = (0, 0, 0, 0)

        public init() {}

        public init(
            out: MutableView<Scalar>, lse: MutableView<Scalar>, inp: View<Scalar>, B: Int, T: Int, C: Int, NH: Int
        ) {
            (self.out, self.lse, self.inp) = (out, lse, inp)
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
                "lse", &lse, [B, NH, T], roundings: hs.extent + T.extent + 3 * E + 8, independent: [B, NH], causal: T)
            b.input("inp", &inp, [B, T, 3 * C], .wide)
        }

        public var cost: Cost {
            let pairs = B * NH * T * (T + 1) / 2
            return Cost(operations: pairs * (4 * C / max(NH, 1) + 5), elements: 4 * B * T * C + B * NH * T)
        }

        public func compose(of set: KernelSet<Scalar>) {
            let preatt = Tensor<Scalar>(repeating: 0, count: B * NH * T * T)
            let att = Tensor<Scalar>(repeating: 0, count: B * NH * T * T)
            set.run(Attention.Forward(out: out, preatt: preatt.view, att: att.view, inp: inp, B: B, T: T, C: C, NH: NH))
            // The most probable entry of a row gives its sum away: att = exp(preatt − lse).
            for row in 0..<B * NH * T {
                let entries = row * T..<row * T + row % T + 1
                let best = entries.reduce(entries.lowerBound) { att.view[$1] > att.view[$0] ? $1 : $0 }
                lse[row] = Scalar(Double(preatt.view[best]) - log(Double(att.view[best])))
            }
        }
    }

    /// dq, dk, dv += their gradients
    public struct Backward<Scalar: KernelScalar>: FusedKernel, BackwardKernel {
        public typealias InDouble = Backward<Double>
        public static var name: KernelName { KernelName("flash_attention", .backward) }
        public static var derivative: Derivative<Scalar> { Derivative(of: Forward<Scalar>.self) }
        public static var parts: [any Kernel<Scalar>.Type] {
            [Attention.Forward<Scalar>.self, Attention.Backward<Scalar>.self]
        }

        public var dinp: MutableView<Scalar> = .empty
        public var dout: View<Scalar> = .empty
        public var inp: View<Scalar> = .empty
        public var out: View<Scalar> = .empty
        public var lse: View<Scalar> = .empty
        public var (B, T, C, NH) = (0, 0, 0, 0)
        public var overwrites: Overwriting = []

        public init() {}

        public init(
            dinp: MutableView<Scalar>, dout: View<Scalar>, inp: View<Scalar>, out: View<Scalar>, lse: View<Scalar>,
            B: Int, T: Int, C: Int, NH: Int, overwrites: Overwriting = []
        ) {
            (self.dinp, self.dout, self.inp, self.out, self.lse) = (dinp, dout, inp, out, lse)
            (self.B, self.T, self.C, self.NH, self.overwrites) = (B, T, C, NH, overwrites)
        }

        public mutating func bind(_ b: inout Binder<Scalar>) {
            b.overwriting(&overwrites)
            let (B, T) = (b.size("B", &B), b.size("T", &T))
            let (C, NH, hs) = b.heads(&C, &NH)
            b.gradient(
                "dinp", &dinp, [B, T, 3 * C], of: .activations,
                roundings: 2 * hs.extent + 2 * T.extent + Int(RoundingError.elementary) + 16, independent: [B, NH],
                nonFinite: .spreading)
            b.input("dout", &dout, [B, T, C], .wide)
            b.input("inp", &inp, [B, T, 3 * C], .wide)
            b.input("out", &out, [B, T, C], .wide)
            b.input("lse", &lse, [B, NH, T], .wide)
        }

        public var cost: Cost {
            let pairs = B * NH * T * (T + 1) / 2
            return Cost(operations: pairs * (10 * C / max(NH, 1) + 6), elements: 11 * B * T * C + B * NH * T)
        }

        public func compose(of set: KernelSet<Scalar>) {
            let again = Tensor<Scalar>(repeating: 0, count: B * T * C)
            let preatt = square()
            let att = square()
            set.run(
                Attention.Forward(
                    out: again.view, preatt: preatt.view, att: att.view, inp: inp, B: B, T: T, C: C, NH: NH))
            let dpreatt = square()
            let datt = square()
            if overwrites.contains(.activations) { dinp.fill(0) }
            set.run(
                Attention.Backward(
                    dinp: dinp, dpreatt: dpreatt.view, datt: datt.view, dout: dout, inp: inp, att: View(att.view),
                    B: B, T: T, C: C, NH: NH))
        }

        private func square() -> Tensor<Scalar> { Tensor(repeating: 0, count: B * NH * T * T) }
    }
}

extension FlashAttention.Forward: KernelInDouble where Scalar == Double {
    /// As in ``Attention``, with ε_p, x, s and L of ``ScoreRow``:
    ///
    ///     ε out = Σ_j att_j·(x_j + L + 2)·|v_j| + s·|out|
    ///     ε lse = ε_p + s + E + 2 + E·(lse − max) + |max| + |lse|
    public func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        PackedToken.forEach(B: B, T: T, C: C, NH: NH) { token in
            let row = ScoreRow(inp, at: token.q, inp, at: token.keys, hs: C / NH, by: law)
            ε.lse[token.row] = row.lseError
            row.outErrors(into: ε.out, out, at: token.o, inp, at: token.values, hs: C / NH)
        }
    }
}

extension FlashAttention.Backward: KernelInDouble where Scalar == Double {
    /// lse and out are taken as they are. With ε_p, x and s of ``ScoreRow``, L = t + 1 terms in row t and T − t rows that
    /// see token t, att errs by a relative y; D = Σ dout·out is Σ att·datt too, datt = dout · vᵀ:
    ///
    ///     y    = x + s + |p| + |lse| + 2·|p − lse| + 2
    ///     ε_a  = hs·Σ |dout||v|
    ///     ε_D  = (hs + 1)·Σ |dout||out| + Σ att·((y + L + 3)·|datt| + ε_a)
    ///     ε_ds = att·((y + 3)·(|datt| + |D|) + ε_a + ε_D)
    ///
    /// with att·y at least what may be flushed, and ε_ds at least hs + T + 5 roundings that underflow;
    ///
    ///     ε dq = L·|initial| + Σ (ε_ds + (L + 3)·|ds|)·|k| / √hs
    ///     ε dk = (T − t)·|initial| + Σ (ε_ds + (T − t + 3)·|ds|)·|q| / √hs
    ///     ε dv = (T − t)·|initial| + Σ att·(y + T − t + 1)·|dout|
    public func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        let (hs, scale) = (C / NH, 1 / Double(C / NH).squareRoot())
        PackedToken.beginSums(into: ε.dinp, from: start.dinp, T: T, C: C, by: law)
        PackedToken.forEach(B: B, T: T, C: C, NH: NH) { token in
            let row = ScoreRow(inp, at: token.q, inp, at: token.keys, hs: hs, by: law)
            let (seen, lse) = (row.count, lse[token.row])
            let att = row.scores.map { exp($0 - lse) }
            let y = row.scores.enumerated().map { t2, p in
                row.exponentialErrors[t2] + row.sumError + abs(p) + abs(lse) + 2 * abs(p - lse) + 2
            }
            /// The inner product of dout and what begins there, with its error.
            func product(_ other: (Int) -> Double, of n: Int) -> (value: Double, error: Double) {
                var (sum, terms) = (0.0, 0.0)
                for i in 0..<hs {
                    let term = dout[token.o + i] * other(i)
                    sum += term
                    terms += law.term(term, of: n)
                }
                return (sum, law.sum(terms, of: n, total: sum))
            }
            let datt = token.values.map { v in product({ inp[v + $0] }, of: hs) }
            var (D, errorD) = product({ out[token.o + $0] }, of: hs + 1)
            var terms = 0.0
            for t2 in att.indices {
                let error = att[t2] * (y[t2] * abs(datt[t2].value) + datt[t2].error)
                terms += law.term(att[t2] * datt[t2].value, of: seen + 3, error: error)
            }
            errorD += law.sum(terms, of: seen + 3, total: D)
            for t2 in att.indices {
                let (k, v, seeing) = (token.keys[t2], token.values[t2], T - t2)
                let ds = scale * att[t2] * (datt[t2].value - D)
                let errorAtt = max(att[t2] * y[t2], RoundingError.flushed)
                let error =
                    scale
                    * max(
                        (errorAtt + 3 * att[t2]) * (abs(datt[t2].value) + abs(D)) + att[t2] * (datt[t2].error + errorD),
                        Double(hs + T + 5) * RoundingError.underflow)
                let (byKey, byQuery) = (
                    law.term(ds, of: seen + 3, error: error), law.term(ds, of: seeing + 3, error: error)
                )
                law.addTerms(byKey, times: inp, at: k, count: hs, to: ε.dinp, at: token.q)
                law.addTerms(byQuery, times: inp, at: token.q, count: hs, to: ε.dinp, at: k)
                law.addTerms(
                    law.term(att[t2], of: seeing + 1, error: errorAtt), times: dout, at: token.o, count: hs,
                    to: ε.dinp, at: v)
            }
        }
        PackedToken.endSums(in: ε.dinp, of: dinp, T: T, C: C, by: law)
    }
}
