import Tensors

/// Adds two streams; backward hands the gradient to both.
///
///     out = inp1 + inp2
///     dinp1 += dout,   dinp2 += dout
///
/// - Shapes: all (N).
/// - Rounding: one addition: ε = |result|.
///
/// Source: He et al. 2016, arXiv:1512.03385; llm.c `residual_forward`.
public enum Residual {
    /// out = inp1 + inp2
    public struct Forward<Scalar: KernelScalar>: Kernel {
        public static var name: KernelName { KernelName("residual", .forward) }

        public var out: MutableView<Scalar> = .empty
        public var inp1: View<Scalar> = .empty
        public var inp2: View<Scalar> = .empty
        public var N = 0

        public init() {}

        public init(out: MutableView<Scalar>, inp1: View<Scalar>, inp2: View<Scalar>, N: Int) {
            self.out = out
            self.inp1 = inp1
            self.inp2 = inp2
            self.N = N
        }

        public mutating func visit(_ visitor: inout some ArgumentVisitor<Scalar>) {
            visitor.size("N", &N)
            visitor.output("out", &out, N, roundings: 1)
            visitor.input("inp1", &inp1, N)
            visitor.input("inp2", &inp2, N)
        }

        public var cost: Cost { Cost(operations: N, elements: 3 * N) }
    }

    /// dinp1 += dout, dinp2 += dout
    public struct Backward<Scalar: KernelScalar>: Kernel {
        public static var name: KernelName { KernelName("residual", .backward) }

        public var dinp1: MutableView<Scalar> = .empty
        public var dinp2: MutableView<Scalar> = .empty
        public var dout: View<Scalar> = .empty
        public var N = 0

        public init() {}

        public init(dinp1: MutableView<Scalar>, dinp2: MutableView<Scalar>, dout: View<Scalar>, N: Int) {
            self.dinp1 = dinp1
            self.dinp2 = dinp2
            self.dout = dout
            self.N = N
        }

        public mutating func visit(_ visitor: inout some ArgumentVisitor<Scalar>) {
            visitor.size("N", &N)
            visitor.accumulator("dinp1", &dinp1, N, roundings: 1)
            visitor.accumulator("dinp2", &dinp2, N, roundings: 1)
            visitor.input("dout", &dout, N)
        }

        public var cost: Cost { Cost(operations: 2 * N, elements: 5 * N) }
    }
}
