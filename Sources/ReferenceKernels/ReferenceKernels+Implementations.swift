import Kernels

extension ReferenceKernels {
    /// The implementation of every kernel, over `Scalar`: `Double` gives the truth.
    public static func implementations<Scalar: KernelScalar>() -> [Implementation<Scalar>] {
        [
            Implementation("reference", ReferenceKernels.encoderForward),
            Implementation("reference", ReferenceKernels.encoderBackward),
            Implementation("reference", ReferenceKernels.layernormForward),
            Implementation("reference", ReferenceKernels.layernormBackward),
            Implementation("reference", ReferenceKernels.matmulForward),
            Implementation("reference", ReferenceKernels.matmulBackward),
            Implementation("reference", ReferenceKernels.attentionForward),
            Implementation("reference", ReferenceKernels.attentionBackward),
            Implementation("reference", ReferenceKernels.geluForward),
            Implementation("reference", ReferenceKernels.geluBackward),
            Implementation("reference", ReferenceKernels.residualForward),
            Implementation("reference", ReferenceKernels.residualBackward),
            Implementation("reference", ReferenceKernels.softmaxForward),
            Implementation("reference", ReferenceKernels.crossentropyForward),
            Implementation("reference", ReferenceKernels.crossentropySoftmaxBackward),
            Implementation("reference", ReferenceKernels.adamwUpdate),
            Implementation("reference", ReferenceKernels.flashAttentionForward),
            Implementation("reference", ReferenceKernels.flashAttentionBackward),
            Implementation("reference", ReferenceKernels.classifierForward),
            Implementation("reference", ReferenceKernels.classifierBackward),
            Implementation("reference", ReferenceKernels.cachedAttentionForward),
        ]
    }
}
