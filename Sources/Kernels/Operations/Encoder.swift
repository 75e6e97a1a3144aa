import Tensors

/// Looks up each token's embedding and adds its position's.
///
///     out[b,t] = wte[inp[b,t]] + wpe[t]
///     dwte[inp[b,t]] += dout[b,t],   dwpe[t] += Σ_b dout[b,t]
///
/// - Shapes: inp (B, T) tokens; wte, dwte (V, C); wpe, dwpe (P, C) with P ≥ T; out, dout (B, T, C).
///
/// Source: Radford et al. 2019, Language Models are Unsupervised Multitask Learners; llm.c `encoder_forward`.
public enum Encoder {
    /// out = wte[inp] + wpe
    public struct Forward<Scalar: KernelScalar>: Kernel {
        public typealias InDouble = Forward<Double>
        public static var name: KernelName { KernelName("encoder", .forward) }

        public var out: MutableView<Scalar> = .empty
        public var inp: View<Int32> = .empty
        public var wte: View<Scalar> = .empty
        public var wpe: View<Scalar> = .empty
        public var (B, T, C) = (0, 0, 0)
        /// The rows of wte and of wpe, for checking alone.
        public var (V, P) = (0, 0)

        public init() {}

        public init(
            out: MutableView<Scalar>, inp: View<Int32>, wte: View<Scalar>, wpe: View<Scalar>, B: Int, T: Int, C: Int
        ) {
            (self.out, self.inp, self.wte, self.wpe) = (out, inp, wte, wpe)
            (self.B, self.T, self.C, V, P) = (B, T, C, wte.count / C, wpe.count / C)
        }

        public mutating func bind(_ b: inout Binder<Scalar>) {
            let (B, T, C) = (b.size("B", &B), b.size("T", &T), b.size("C", &C))
            let (V, P) = (b.size("V", &V, isPassed: false), b.size("P", &P, atLeast: T, isPassed: false))
            b.output("out", &out, [B, T, C], roundings: 1, independent: [B, C])
            b.tokens("inp", &inp, [B, T], below: V)
            b.input("wte", &wte, [V, C], .wide)
            b.input("wpe", &wpe, [P, C], .wide)
        }

        public var cost: Cost { Cost(operations: B * T * C, elements: 3 * B * T * C) }
    }

    /// dwte[inp] += dout, dwpe += Σ_b dout
    public struct Backward<Scalar: KernelScalar>: BackwardKernel {
        public typealias InDouble = Backward<Double>
        public static var name: KernelName { KernelName("encoder", .backward) }
        public static var derivative: Derivative<Scalar> { Derivative(of: Forward<Scalar>.self) }

        public var dwte: MutableView<Scalar> = .empty
        public var dwpe: MutableView<Scalar> = .empty
        public var dout: View<Scalar> = .empty
        public var inp: View<Int32> = .empty
        public var (B, T, C) = (0, 0, 0)
        /// The rows of dwte and of dwpe, for checking alone.
        public var (V, P) = (0, 0)
        public var overwrites: Overwriting = []

        public init() {}

        public init(
            dwte: MutableView<Scalar>, dwpe: MutableView<Scalar>, dout: View<Scalar>, inp: View<Int32>,
            B: Int, T: Int, C: Int, overwrites: Overwriting = []
        ) {
            (self.dwte, self.dwpe, self.dout, self.inp) = (dwte, dwpe, dout, inp)
            (self.B, self.T, self.C, V, P) = (B, T, C, dwte.count / C, dwpe.count / C)
            self.overwrites = overwrites
        }

        public mutating func bind(_ b: inout Binder<Scalar>) {
            b.overwriting(&overwrites)
            let (B, T, C) = (b.size("B", &B), b.size("T", &T), b.size("C", &C))
            let (V, P) = (b.size("V", &V, isPassed: false), b.size("P", &P, atLeast: T, isPassed: false))
            b.gradient(
                "dwte", &dwte, [V, C], of: .parameters, roundings: B.extent * T.extent, independent: [C])
            b.gradient("dwpe", &dwpe, [P, C], of: .parameters, roundings: B.extent, independent: [C])
            b.input("dout", &dout, [B, T, C], .wide)
            b.tokens("inp", &inp, [B, T], below: V)
        }

        public var cost: Cost { Cost(operations: 2 * B * T * C, elements: 5 * B * T * C) }
    }
}

extension Encoder.Forward: KernelInDouble where Scalar == Double {
    /// One addition:
    ///
    ///     ε out = |out|
    public func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        for i in 0..<out.count { ε.out[i] = abs(out[i]) }
    }
}

extension Encoder.Backward: KernelInDouble where Scalar == Double {
    /// A row of dwte that receives k addends adds k times, one of dwpe B times; one that receives none is left as it is,
    /// exactly:
    ///
    ///     ε dwte = k·(|initial| + Σ |dout|)
    ///     ε dwpe = B·(|initial| + Σ |dout|) for t < T,   0 beyond
    public func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        var addends = [Int](repeating: 0, count: V)
        for row in 0..<B * T { addends[Int(inp[row])] += 1 }
        for i in 0..<dwte.count { ε.dwte[i] = law.term(start.dwte[i], of: addends[i / C]) }
        for i in 0..<dwpe.count { ε.dwpe[i] = i / C < T ? law.term(start.dwpe[i], of: B) : 0 }
        for row in 0..<B * T {
            let token = Int(inp[row])
            for c in 0..<C {
                ε.dwte[token * C + c] += law.term(dout[row * C + c], of: addends[token])
                ε.dwpe[row % T * C + c] += law.term(dout[row * C + c], of: B)
            }
        }
        for i in 0..<dwte.count { ε.dwte[i] = law.sum(ε.dwte[i], of: addends[i / C], total: dwte[i]) }
        for i in 0..<T * C { ε.dwpe[i] = law.sum(ε.dwpe[i], of: B, total: dwpe[i]) }
    }
}
