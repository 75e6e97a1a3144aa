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
/// - Rounding: with p = preatt, g_p = Σ |q||k| / √hs and E = ``transcendentalRoundings``, an error of p_j is a relative
///   error of exp(p_j − max), so att has gauge g_a = att·(1 + g_p + |p − max| + Σ_j att_j (g_p,j + |p_j − max|)), out
///   Σ g_a|v|, datt g_d = |initial| + Σ |dout||v|, dpreatt |initial| + att·(g_d + Σ att·g_d), and dinp the same sums of
///   magnitudes; n adds up along the chain. Results of exp below 2^-126 may be flushed to 0.
///
/// Source: Vaswani et al. 2017, arXiv:1706.03762; llm.c `attention_forward`.
public enum Attention {
    /// out = softmax(q · kᵀ / √hs, causal) · v
    public struct Forward<Scalar: KernelScalar>: Kernel {
        public static var name: KernelName { KernelName("attention", .forward) }

        public var out: MutableView<Scalar> = .empty
        public var preatt: MutableView<Scalar> = .empty
        public var att: MutableView<Scalar> = .empty
        public var inp: View<Scalar> = .empty
        public var B = 0
        public var T = 0
        public var C = 0
        public var NH = 0

        public init() {}

        public init(
            out: MutableView<Scalar>, preatt: MutableView<Scalar>, att: MutableView<Scalar>, inp: View<Scalar>,
            B: Int, T: Int, C: Int, NH: Int
        ) {
            self.out = out
            self.preatt = preatt
            self.att = att
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
            visitor.output("out", &out, B, T, C, roundings: hs + 2 * T + 2 * E + 10)
            visitor.output("preatt", &preatt, B, NH, T, T, roundings: hs + 4, coverage: .causal)
            visitor.output("att", &att, B, NH, T, T, roundings: hs + T + 2 * E + 8)
            visitor.input("inp", &inp, B, T, 3 * C)
        }

        public var cost: Cost {
            // Half of the T×T matrix; two inner products and five operations of softmax for each of its elements.
            let pairs = B * NH * T * (T + 1) / 2
            return Cost(operations: pairs * (4 * C / max(NH, 1) + 5), elements: 4 * B * T * C + 4 * pairs)
        }
    }

    /// dq, dk, dv += their gradients, by way of datt and dpreatt
    public struct Backward<Scalar: KernelScalar>: Kernel {
        public static var name: KernelName { KernelName("attention", .backward) }

        public var dinp: MutableView<Scalar> = .empty
        public var dpreatt: MutableView<Scalar> = .empty
        public var datt: MutableView<Scalar> = .empty
        public var dout: View<Scalar> = .empty
        public var inp: View<Scalar> = .empty
        public var att: View<Scalar> = .empty
        public var B = 0
        public var T = 0
        public var C = 0
        public var NH = 0

        public init() {}

        public init(
            dinp: MutableView<Scalar>, dpreatt: MutableView<Scalar>, datt: MutableView<Scalar>, dout: View<Scalar>,
            inp: View<Scalar>, att: View<Scalar>, B: Int, T: Int, C: Int, NH: Int
        ) {
            self.dinp = dinp
            self.dpreatt = dpreatt
            self.datt = datt
            self.dout = dout
            self.inp = inp
            self.att = att
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
            let hs = C / max(NH, 1)
            visitor.accumulator("dinp", &dinp, B, T, 3 * C, roundings: hs + 2 * T + 12)
            visitor.accumulator("dpreatt", &dpreatt, B, NH, T, T, roundings: hs + T + 6, coverage: .causal)
            visitor.accumulator("datt", &datt, B, NH, T, T, roundings: hs + 1, coverage: .causal)
            visitor.input("dout", &dout, B, T, C)
            visitor.input("inp", &inp, B, T, 3 * C)
            visitor.input("att", &att, B, NH, T, T)
        }

        public var cost: Cost {
            let pairs = B * NH * T * (T + 1) / 2
            return Cost(operations: pairs * (8 * C / max(NH, 1) + 5), elements: 10 * B * T * C + 5 * pairs)
        }
    }
}
