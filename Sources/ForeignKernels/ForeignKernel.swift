import Kernels
import Tensors

/// A kernel with a function in the C ABI: llm.c's names and signatures, which `include/plumbline_kernels.h` documents. The
/// arguments come in the order of the contract, then the sizes.
protocol ForeignKernel: Kernel<Float> {
    /// The type of the function.
    associatedtype Function: Sendable

    /// Makes the call by `function`.
    func call(_ function: Function)
}

extension ForeignKernel {
    /// The name of the function, such as `matmul_forward`.
    static var symbol: String { "\(name.operation)_\(name.pass.rawValue)" }
}

/// Every function of the ABI.
let foreignKernels: [any ForeignKernel.Type] = [
    Encoder.Forward<Float>.self, Encoder.Backward<Float>.self,
    LayerNorm.Forward<Float>.self, LayerNorm.Backward<Float>.self,
    Matmul.Forward<Float>.self, Matmul.Backward<Float>.self,
    Attention.Forward<Float>.self, Attention.Backward<Float>.self,
    GELU.Forward<Float>.self, GELU.Backward<Float>.self,
    Residual.Forward<Float>.self, Residual.Backward<Float>.self,
    Softmax.Forward<Float>.self, CrossEntropy.Forward<Float>.self,
    CrossEntropySoftmax.Backward<Float>.self, AdamW.Update<Float>.self,
]

/// A pointer to what is written or added to.
typealias Result = UnsafeMutablePointer<Float>
/// A pointer to what is read.
typealias Input = UnsafePointer<Float>
/// A pointer to tokens.
typealias Tokens = UnsafePointer<Int32>
/// A C `int`; no size of a model is beyond it.
typealias Size = Int32

extension Encoder.Forward: ForeignKernel where Scalar == Float {
    typealias Function = @convention(c) (Result, Tokens, Input, Input, Size, Size, Size) -> Void

    func call(_ function: Function) {
        function(out.base, inp.base, wte.base, wpe.base, Size(B), Size(T), Size(C))
    }
}

extension Encoder.Backward: ForeignKernel where Scalar == Float {
    typealias Function = @convention(c) (Result, Result, Input, Tokens, Size, Size, Size) -> Void

    func call(_ function: Function) {
        function(dwte.base, dwpe.base, dout.base, inp.base, Size(B), Size(T), Size(C))
    }
}

extension LayerNorm.Forward: ForeignKernel where Scalar == Float {
    typealias Function = @convention(c) (Result, Result, Result, Input, Input, Input, Size, Size, Size) -> Void

    func call(_ function: Function) {
        function(out.base, mean.base, rstd.base, inp.base, weight.base, bias.base, Size(B), Size(T), Size(C))
    }
}

extension LayerNorm.Backward: ForeignKernel where Scalar == Float {
    typealias Function =
        @convention(c) (Result, Result, Result, Input, Input, Input, Input, Input, Size, Size, Size) -> Void

    func call(_ function: Function) {
        function(
            dinp.base, dweight.base, dbias.base, dout.base, inp.base, weight.base, mean.base, rstd.base,
            Size(B), Size(T), Size(C))
    }
}

extension Matmul.Forward: ForeignKernel where Scalar == Float {
    typealias Function = @convention(c) (Result, Input, Input, Input?, Size, Size, Size, Size) -> Void

    func call(_ function: Function) {
        function(out.base, inp.base, weight.base, bias?.base, Size(B), Size(T), Size(C), Size(OC))
    }
}

extension Matmul.Backward: ForeignKernel where Scalar == Float {
    typealias Function = @convention(c) (Result, Result, Result?, Input, Input, Input, Size, Size, Size, Size) -> Void

    func call(_ function: Function) {
        function(
            dinp.base, dweight.base, dbias?.base, dout.base, inp.base, weight.base,
            Size(B), Size(T), Size(C), Size(OC))
    }
}

extension Attention.Forward: ForeignKernel where Scalar == Float {
    typealias Function = @convention(c) (Result, Result, Result, Input, Size, Size, Size, Size) -> Void

    func call(_ function: Function) {
        function(out.base, preatt.base, att.base, inp.base, Size(B), Size(T), Size(C), Size(NH))
    }
}

extension Attention.Backward: ForeignKernel where Scalar == Float {
    typealias Function = @convention(c) (Result, Result, Result, Input, Input, Input, Size, Size, Size, Size) -> Void

    func call(_ function: Function) {
        function(
            dinp.base, dpreatt.base, datt.base, dout.base, inp.base, att.base, Size(B), Size(T), Size(C), Size(NH))
    }
}

extension GELU.Forward: ForeignKernel where Scalar == Float {
    typealias Function = @convention(c) (Result, Input, Size) -> Void

    func call(_ function: Function) { function(out.base, inp.base, Size(N)) }
}

extension GELU.Backward: ForeignKernel where Scalar == Float {
    typealias Function = @convention(c) (Result, Input, Input, Size) -> Void

    func call(_ function: Function) { function(dinp.base, inp.base, dout.base, Size(N)) }
}

extension Residual.Forward: ForeignKernel where Scalar == Float {
    typealias Function = @convention(c) (Result, Input, Input, Size) -> Void

    func call(_ function: Function) { function(out.base, inp1.base, inp2.base, Size(N)) }
}

extension Residual.Backward: ForeignKernel where Scalar == Float {
    typealias Function = @convention(c) (Result, Result, Input, Size) -> Void

    func call(_ function: Function) { function(dinp1.base, dinp2.base, dout.base, Size(N)) }
}

extension Softmax.Forward: ForeignKernel where Scalar == Float {
    typealias Function = @convention(c) (Result, Input, Size, Size, Size, Size) -> Void

    func call(_ function: Function) { function(probs.base, logits.base, Size(B), Size(T), Size(V), Size(Vp)) }
}

extension CrossEntropy.Forward: ForeignKernel where Scalar == Float {
    typealias Function = @convention(c) (Result, Input, Tokens, Size, Size, Size) -> Void

    func call(_ function: Function) { function(losses.base, probs.base, targets.base, Size(B), Size(T), Size(Vp)) }
}

extension CrossEntropySoftmax.Backward: ForeignKernel where Scalar == Float {
    typealias Function = @convention(c) (Result, Input, Input, Tokens, Size, Size, Size, Size) -> Void

    func call(_ function: Function) {
        function(dlogits.base, dlosses.base, probs.base, targets.base, Size(B), Size(T), Size(V), Size(Vp))
    }
}

extension AdamW.Update: ForeignKernel where Scalar == Float {
    typealias Function =
        @convention(c) (Result, Result, Result, Input, Float, Float, Float, Float, Float, Size, Size) -> Void

    func call(_ function: Function) {
        let rates = hyperparameters
        function(
            params.base, m.base, v.base, grads.base, rates.learningRate, rates.beta1, rates.beta2, rates.eps,
            rates.weightDecay, Size(t), Size(N))
    }
}
