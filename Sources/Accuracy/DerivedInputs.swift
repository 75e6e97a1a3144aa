import Kernels
import ReferenceKernels
import Tensors

/// Inputs that cannot be made up, because they follow from others: what a forward pass left for its backward pass.
enum DerivedInputs {
    /// Computes them by the reference, in place of what was drawn, each rounded to float32.
    static func fill<K: Kernel>(_ call: K) {
        let set = KernelSet<K.Scalar>(ReferenceKernels.implementations())
        if let call = call as? FlashAttention.Backward<K.Scalar> {
            let (out, lse) = (writable(call.out), writable(call.lse))
            set.run(
                FlashAttention.Forward(out: out, lse: lse, inp: call.inp, B: call.B, T: call.T, C: call.C, NH: call.NH))
            round(out)
            round(lse)
        }
        if let call = call as? Classifier.Backward<K.Scalar> {
            let lse = writable(call.lse)
            let losses = Tensor<K.Scalar>(repeating: 0, count: lse.count)
            set.run(
                Classifier.Forward(
                    losses: losses.view, lse: lse, logits: call.logits, targets: call.targets, B: call.B, T: call.T,
                    V: call.V, Vp: call.Vp))
            round(lse)
        }
    }

    /// The same memory for writing: it belongs to the call that is being made ready.
    private static func writable<Scalar>(_ view: View<Scalar>) -> MutableView<Scalar> {
        MutableView(UnsafeMutablePointer(mutating: view.base), count: view.count)
    }

    private static func round<Scalar: KernelScalar>(_ view: MutableView<Scalar>) {
        for i in 0..<view.count { view[i] = Scalar(Float(view[i])) }
    }
}
