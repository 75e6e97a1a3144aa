import Foundation
import Tensors

/// ``Attention`` that keeps no (T, T) matrix: backward computes the probabilities again.
///
///     p[t,t2] = q_t · k_t2 / √hs for t2 ≤ t,   lse[t] = log Σ exp(p[t]),   out[t] = Σ exp(p[t] − lse[t]) · v
///     att = exp(p − lse),   ds = att · (dout · vᵀ − Σ dout·out)
///     dq += ds · k / √hs,   dk += dsᵀ · q / √hs,   dv += attᵀ · dout
///
/// - Shapes: inp, dinp (B, T, 3C), each row q, k, v, each (NH, hs), hs = C/NH; out, dout (B, T, C); lse (B, NH, T).
/// - Rounding: forward as in ``Attention``, with its E, L, ε_p, x and s; lse has, by way of the sum or of the largest
///   probability, ε = ε_p + s + E + 2 + E·(lse − max) + |max| + |lse|. Backward takes lse and out as they are: att errs by a
///   relative y = x + s + |p| + |lse| + 2·|p − lse| + 2, datt = dout · vᵀ by ε_a = hs·Σ |dout||v|, D = Σ dout·out, which is
///   Σ att·datt too, by ε_D = (hs + 1)·Σ |dout||out| + Σ att·((y + L + 3)·|datt| + ε_a), and ds by
///   ε_s = att·((y + 3)·(|datt| + |D|) + ε_a + ε_D). dq has L·|initial| + Σ (ε_s + (L + 3)·|ds|)·|k| / √hs, dk the same of
///   q with L = T − t, the rows that see t, and dv L·|initial| + Σ att·(y + L + 1)·|dout|. Results of exp below 2^-126 may
///   be flushed to 0.
///
/// Source: Dao et al. 2022, FlashAttention, arXiv:2205.14135; Rabe and Staats 2021, arXiv:2112.05682.
public enum FlashAttention {
    /// out = softmax(q · kᵀ / √hs, causal) · v, and the logarithm of each row's sum
    public struct Forward<Scalar: KernelScalar>: FusedKernel {
        public static var name: KernelName { KernelName("flash_attention", .forward) }

        public var out: MutableView<Scalar> = .empty
        public var lse: MutableView<Scalar> = .empty
        public var inp: View<Scalar> = .empty
        public var B = 0
        public var T = 0
        public var C = 0
        public var NH = 0

        public init() {}

        public init(
            out: MutableView<Scalar>, lse: MutableView<Scalar>, inp: View<Scalar>, B: Int, T: Int, C: Int, NH: Int
        ) {
            self.out = out
            self.lse = lse
            self.inp = inp
            self.B = B
            self.T = T
            self.C = C
            self.NH = NH
        }

        public mutating func visit(_ visitor: inout some ArgumentVisitor<Scalar>) {
            visitor.size("B", &B)
            visitor.size("T", &T)
            visitor.size("C", &C)
            visitor.size("NH", &NH)
            visitor.require(NH > 0 && C % NH == 0, "NH divides C")
            let (hs, E) = (C / max(NH, 1), transcendentalRoundings)
            visitor.output("out", &out, B, T, C, roundings: hs + 2 * T + 2 * E + 8)
            visitor.output("lse", &lse, B, NH, T, roundings: hs + T + 3 * E + 8)
            visitor.input("inp", &inp, B, T, 3 * C)
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
    public struct Backward<Scalar: KernelScalar>: FusedKernel {
        public static var name: KernelName { KernelName("flash_attention", .backward) }

        public var dinp: MutableView<Scalar> = .empty
        public var dout: View<Scalar> = .empty
        public var inp: View<Scalar> = .empty
        public var out: View<Scalar> = .empty
        public var lse: View<Scalar> = .empty
        public var B = 0
        public var T = 0
        public var C = 0
        public var NH = 0
        public var overwrites: Overwriting = []

        public init() {}

        public init(
            dinp: MutableView<Scalar>, dout: View<Scalar>, inp: View<Scalar>, out: View<Scalar>, lse: View<Scalar>,
            B: Int, T: Int, C: Int, NH: Int, overwrites: Overwriting = []
        ) {
            self.dinp = dinp
            self.dout = dout
            self.inp = inp
            self.out = out
            self.lse = lse
            self.B = B
            self.T = T
            self.C = C
            self.NH = NH
            self.overwrites = overwrites
        }

        public mutating func visit(_ visitor: inout some ArgumentVisitor<Scalar>) {
            visitor.overwriting(&overwrites)
            visitor.size("B", &B)
            visitor.size("T", &T)
            visitor.size("C", &C)
            visitor.size("NH", &NH)
            visitor.require(NH > 0 && C % NH == 0, "NH divides C")
            visitor.accumulator(
                "dinp", &dinp, B, T, 3 * C, roundings: 2 * C / max(NH, 1) + 2 * T + transcendentalRoundings + 16,
                overwritten: overwrites.contains(.activations))
            visitor.input("dout", &dout, B, T, C)
            visitor.input("inp", &inp, B, T, 3 * C)
            visitor.input("out", &out, B, T, C)
            visitor.input("lse", &lse, B, NH, T)
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
