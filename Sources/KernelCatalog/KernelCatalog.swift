import FastKernels
import Kernels
import ReferenceKernels

/// Every implementation of every kernel, listed once.
public enum KernelCatalog {
    /// Adding an implementation is one file and one line here.
    public static let implementations: [Implementation<Float>] =
        reference() + [
            Implementation("fast", FastKernels.encoderForward),
            Implementation("fast", FastKernels.encoderBackward),
            Implementation("fast", FastKernels.layernormForward),
            Implementation("fast", overwrites: true, FastKernels.layernormBackward),
            Implementation("fast", FastKernels.matmulForward),
            Implementation("fast", overwrites: true, FastKernels.matmulBackward),
            Implementation("fast", FastKernels.attentionForward),
            Implementation("fast", FastKernels.attentionBackward),
            Implementation("fast", FastKernels.geluForward),
            Implementation("fast", overwrites: true, FastKernels.geluBackward),
            Implementation("fast", FastKernels.residualForward),
            Implementation("fast", FastKernels.residualBackward),
            Implementation("fast", FastKernels.softmaxForward),
            Implementation("fast", FastKernels.crossentropyForward),
            Implementation("fast", FastKernels.crossentropySoftmaxBackward),
            Implementation("fast", FastKernels.adamwUpdate),
            Implementation("fast", FastKernels.flashAttentionForward),
            Implementation("fast", overwrites: true, FastKernels.flashAttentionBackward),
            Implementation("fast", FastKernels.classifierForward),
            Implementation("fast", FastKernels.classifierBackward),
        ]

    /// The reference implementation of every kernel, over `Scalar`: `Double` gives the truth.
    public static func reference<Scalar: KernelScalar>() -> [Implementation<Scalar>] {
        ReferenceKernels.implementations()
    }

    /// The names of implementations, each once, in order of appearance.
    public static var names: [String] { unique(implementations.map(\.name)) }

    /// The operations, each once, in the order of the contract.
    public static var operations: [String] { unique(kernels.map { $0.name.operation }) }

    /// The kernels, each once, in the order of the contract: those of the reference, then those that any set composes.
    public static var kernels: [any Kernel<Float>.Type] { kernels(over: Float.self) }

    /// The same kernels over another element type.
    public static func kernels<Scalar: KernelScalar>(over type: Scalar.Type) -> [any Kernel<Scalar>.Type] {
        ReferenceKernels.kernels(over: type)
    }

    static func unique(_ names: [String]) -> [String] {
        names.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
