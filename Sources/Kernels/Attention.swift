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
/// - Rounding: with E = ``transcendentalRoundings`` and L = t + 1 terms in row t, a score has
///   ε_p = (hs + 3)·Σ |q||k| / √hs. With d = max − preatt, exp(−d) errs by a relative x = ε_p + 2·d + E, the sum of all by
///   s = Σ att·x + L, and att by att·(x + s + 2). The sum's error is common to a row:
///   out has ε = Σ_j att_j·(x_j + L + 2)·|v_j| + s·|out|. Results of exp below 2^-126 may be flushed to 0:
///   c·u·gauge ≥ 2^-126 for att, and each value adds that much to out. Backward: datt has
///   ε_a = (hs + 1)·(|initial| + Σ |dout||v|), dpreatt
///   ε_s = L·|initial| + att·(ε_a + Σ att·ε_a + (L + 3)·(|datt| + Σ att·|datt|)),
///   dq L·|initial| + Σ (ε_s + (L + 3)·|dpreatt|)·|k| / √hs, dk the same of q with L = T − t, the rows that see t, and
///   dv L·|initial| + (L + 1)·Σ att·|dout|.
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
            visitor.output("out", &out, B, T, C, roundings: hs + 2 * T + 2 * E + 8)
            visitor.output("preatt", &preatt, B, NH, T, T, roundings: hs + 3, coverage: .causal)
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
            visitor.accumulator("dinp", &dinp, B, T, 3 * C, roundings: hs + 2 * T + 8)
            visitor.accumulator("dpreatt", &dpreatt, B, NH, T, T, roundings: hs + T + 4, coverage: .causal)
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
