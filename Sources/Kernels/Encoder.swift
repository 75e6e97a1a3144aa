import Tensors

/// Looks up each token's embedding and adds its position's.
///
///     out[b,t] = wte[inp[b,t]] + wpe[t]
///     dwte[inp[b,t]] += dout[b,t],   dwpe[t] += Σ_b dout[b,t]
///
/// - Shapes: inp (B, T) tokens; wte, dwte (V, C); wpe, dwpe (P, C) with P ≥ T; out, dout (B, T, C).
/// - Rounding: forward adds once: ε = |out|. A row of dwte that receives k addends adds k times, one of dwpe B times:
///   ε = k·(|initial| + Σ |dout|). A row that receives none is left as it is, exactly.
///
/// Source: Radford et al. 2019, Language Models are Unsupervised Multitask Learners; llm.c `encoder_forward`.
public enum Encoder {
    /// out = wte[inp] + wpe
    public struct Forward<Scalar: KernelScalar>: Kernel {
        public static var name: KernelName { KernelName("encoder", .forward) }

        public var out: MutableView<Scalar> = .empty
        public var inp: View<Int32> = .empty
        public var wte: View<Scalar> = .empty
        public var wpe: View<Scalar> = .empty
        public var B = 0
        public var T = 0
        public var C = 0
        /// The rows of wte and of wpe, for checking alone.
        public var V = 0
        public var P = 0

        public init() {}

        public init(
            out: MutableView<Scalar>, inp: View<Int32>, wte: View<Scalar>, wpe: View<Scalar>, B: Int, T: Int, C: Int
        ) {
            self.out = out
            self.inp = inp
            self.wte = wte
            self.wpe = wpe
            self.B = B
            self.T = T
            self.C = C
            V = wte.count / C
            P = wpe.count / C
        }

        public mutating func visit(_ visitor: inout some ArgumentVisitor<Scalar>) {
            visitor.size("B", &B)
            visitor.size("T", &T)
            visitor.size("C", &C)
            visitor.size("V", &V)
            visitor.size("P", &P)
            visitor.require(T <= P, "T is at most P")
            visitor.output("out", &out, B, T, C, roundings: 1)
            visitor.tokens("inp", below: V, &inp, B, T)
            visitor.input("wte", &wte, V, C)
            visitor.input("wpe", &wpe, P, C)
        }

        public var cost: Cost { Cost(operations: B * T * C, elements: 3 * B * T * C) }
    }

    /// dwte[inp] += dout, dwpe += Σ_b dout
    public struct Backward<Scalar: KernelScalar>: Kernel {
        public static var name: KernelName { KernelName("encoder", .backward) }

        public var dwte: MutableView<Scalar> = .empty
        public var dwpe: MutableView<Scalar> = .empty
        public var dout: View<Scalar> = .empty
        public var inp: View<Int32> = .empty
        public var B = 0
        public var T = 0
        public var C = 0
        /// The rows of dwte and of dwpe, for checking alone.
        public var V = 0
        public var P = 0

        public init() {}

        public init(
            dwte: MutableView<Scalar>, dwpe: MutableView<Scalar>, dout: View<Scalar>, inp: View<Int32>,
            B: Int, T: Int, C: Int
        ) {
            self.dwte = dwte
            self.dwpe = dwpe
            self.dout = dout
            self.inp = inp
            self.B = B
            self.T = T
            self.C = C
            V = dwte.count / C
            P = dwpe.count / C
        }

        public mutating func visit(_ visitor: inout some ArgumentVisitor<Scalar>) {
            visitor.size("B", &B)
            visitor.size("T", &T)
            visitor.size("C", &C)
            visitor.size("V", &V)
            visitor.size("P", &P)
            visitor.require(T <= P, "T is at most P")
            visitor.accumulator("dwte", &dwte, V, C, roundings: B * T)
            visitor.accumulator("dwpe", &dwpe, P, C, roundings: B)
            visitor.input("dout", &dout, B, T, C)
            visitor.tokens("inp", below: V, &inp, B, T)
        }

        public var cost: Cost { Cost(operations: 2 * B * T * C, elements: 5 * B * T * C) }
    }
}
