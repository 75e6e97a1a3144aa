import Tensors

/// A linear layer: each row of the input times the transposed weight, plus a bias.
///
///     out = inp · weightᵀ + bias
///     dinp += dout · weight,   dweight += doutᵀ · inp,   dbias += Σ_rows dout
///
/// - Shapes: inp, dinp (B, T, C); out, dout (B, T, OC); weight, dweight (OC, C); bias, dbias (OC) or none.
/// - Rounding: an inner product of n terms rounds n times on each path, in any order of summation, with FMA or not, and
///   once more for the bias or the accumulator: ε = (n + 1)·(Σ |a||b| + |bias or initial|); n·Σ |a||b| without a bias.
///   dbias adds B·T times. Schemes that trade multiplications for cancellation, such as Strassen's, do not keep to it.
///
/// Source: `torch.nn.Linear`; llm.c `matmul_forward`; Higham 2002, section 3.1.
public enum Matmul {
    /// out = inp · weightᵀ + bias
    public struct Forward<Scalar: KernelScalar>: Kernel {
        public static var name: KernelName { KernelName("matmul", .forward) }

        public var out: MutableView<Scalar> = .empty
        public var inp: View<Scalar> = .empty
        public var weight: View<Scalar> = .empty
        public var bias: View<Scalar>?
        public var B = 0
        public var T = 0
        public var C = 0
        public var OC = 0

        public init() {}

        public init(
            out: MutableView<Scalar>, inp: View<Scalar>, weight: View<Scalar>, bias: View<Scalar>?,
            B: Int, T: Int, C: Int, OC: Int
        ) {
            self.out = out
            self.inp = inp
            self.weight = weight
            self.bias = bias
            self.B = B
            self.T = T
            self.C = C
            self.OC = OC
        }

        public mutating func visit(_ visitor: inout some ArgumentVisitor<Scalar>) {
            visitor.size("B", &B)
            visitor.size("T", &T)
            visitor.size("C", &C)
            visitor.size("OC", &OC)
            visitor.output("out", &out, B, T, OC, roundings: C + 1)
            visitor.input("inp", &inp, B, T, C)
            visitor.input("weight", &weight, OC, C)
            visitor.input("bias", optional: &bias, OC)
        }

        public var cost: Cost {
            Cost(operations: 2 * B * T * C * OC, elements: B * T * (C + OC) + OC * C)
        }
    }

    /// dinp += dout · weight, dweight += doutᵀ · inp, dbias += Σ dout
    public struct Backward<Scalar: KernelScalar>: Kernel {
        public static var name: KernelName { KernelName("matmul", .backward) }

        public var dinp: MutableView<Scalar> = .empty
        public var dweight: MutableView<Scalar> = .empty
        public var dbias: MutableView<Scalar>?
        public var dout: View<Scalar> = .empty
        public var inp: View<Scalar> = .empty
        public var weight: View<Scalar> = .empty
        public var B = 0
        public var T = 0
        public var C = 0
        public var OC = 0

        public init() {}

        public init(
            dinp: MutableView<Scalar>, dweight: MutableView<Scalar>, dbias: MutableView<Scalar>?, dout: View<Scalar>,
            inp: View<Scalar>, weight: View<Scalar>, B: Int, T: Int, C: Int, OC: Int
        ) {
            self.dinp = dinp
            self.dweight = dweight
            self.dbias = dbias
            self.dout = dout
            self.inp = inp
            self.weight = weight
            self.B = B
            self.T = T
            self.C = C
            self.OC = OC
        }

        public mutating func visit(_ visitor: inout some ArgumentVisitor<Scalar>) {
            visitor.size("B", &B)
            visitor.size("T", &T)
            visitor.size("C", &C)
            visitor.size("OC", &OC)
            visitor.accumulator("dinp", &dinp, B, T, C, roundings: OC + 1)
            visitor.accumulator("dweight", &dweight, OC, C, roundings: B * T + 1)
            visitor.accumulator("dbias", optional: &dbias, OC, roundings: B * T)
            visitor.input("dout", &dout, B, T, OC)
            visitor.input("inp", &inp, B, T, C)
            visitor.input("weight", &weight, OC, C)
        }

        public var cost: Cost {
            Cost(operations: 4 * B * T * C * OC, elements: B * T * (3 * C + OC) + 3 * OC * C)
        }
    }
}
