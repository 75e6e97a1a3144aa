import Tensors

/// Adds two streams; backward hands the gradient to both.
///
///     out = inp1 + inp2
///     dinp1 += dout,   dinp2 += dout
///
/// - Shapes: all (N).
///
/// Source: He et al. 2016, arXiv:1512.03385; llm.c `residual_forward`.
public enum Residual {
    /// out = inp1 + inp2
    public struct Forward<Scalar: KernelScalar>: Kernel {
        public typealias InDouble = Forward<Double>
        public static var name: KernelName { KernelName("residual", .forward) }

        public var out: MutableView<Scalar> = .empty
        public var inp1: View<Scalar> = .empty
        public var inp2: View<Scalar> = .empty
        public var N = 0

        public init() {}

        public init(out: MutableView<Scalar>, inp1: View<Scalar>, inp2: View<Scalar>, N: Int) {
            (self.out, self.inp1, self.inp2, self.N) = (out, inp1, inp2, N)
        }

        public mutating func bind(_ b: inout Binder<Scalar>) {
            let N = b.size("N", &N)
            b.output("out", &out, [N], roundings: 1, independent: [N])
            b.input("inp1", &inp1, [N], .wide)
            b.input("inp2", &inp2, [N], .wide)
        }

        public var cost: Cost { Cost(operations: N, elements: 3 * N) }
    }

    /// dinp1 += dout, dinp2 += dout
    public struct Backward<Scalar: KernelScalar>: BackwardKernel {
        public typealias InDouble = Backward<Double>
        public static var name: KernelName { KernelName("residual", .backward) }
        public static var derivative: Derivative<Scalar> { Derivative(of: Forward<Scalar>.self) }

        public var dinp1: MutableView<Scalar> = .empty
        public var dinp2: MutableView<Scalar> = .empty
        public var dout: View<Scalar> = .empty
        public var N = 0
        public var overwrites: Overwriting = []

        public init() {}

        public init(
            dinp1: MutableView<Scalar>, dinp2: MutableView<Scalar>, dout: View<Scalar>, N: Int,
            overwrites: Overwriting = []
        ) {
            (self.dinp1, self.dinp2, self.dout) = (dinp1, dinp2, dout)
            (self.N, self.overwrites) = (N, overwrites)
        }

        public mutating func bind(_ b: inout Binder<Scalar>) {
            b.overwriting(&overwrites)
            let N = b.size("N", &N)
            b.gradient("dinp1", &dinp1, [N], of: .activations, roundings: 1, independent: [N])
            b.gradient("dinp2", &dinp2, [N], of: .activations, roundings: 1, independent: [N])
            b.input("dout", &dout, [N], .wide)
        }

        public var cost: Cost { Cost(operations: 2 * N, elements: 5 * N) }
    }
}

extension Residual.Forward: KernelInDouble where Scalar == Double {
    /// One addition:
    ///
    ///     ε out = |out|
    public func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        for i in 0..<N { ε.out[i] = abs(out[i]) }
    }
}

extension Residual.Backward: KernelInDouble where Scalar == Double {
    /// One addition each:
    ///
    ///     ε dinp1 = |dinp1|,   ε dinp2 = |dinp2|
    public func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        for i in 0..<N {
            ε.dinp1[i] = abs(dinp1[i])
            ε.dinp2[i] = abs(dinp2[i])
        }
    }
}
