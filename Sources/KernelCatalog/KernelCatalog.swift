import FastKernels
import Kernels
import ReferenceKernels

/// Every implementation of every kernel, listed once.
public struct KernelCatalog: Sendable {
    /// The reference implementation of every kernel: the kernels that there are, in the order of the contract.
    public let reference: [Implementation<Float>]
    /// The same over `Double`: the truth.
    public let exact: [Implementation<Double>]
    /// Those of the module FastKernels, which not every CPU can run.
    let fast: [Implementation<Float>]
    /// All others.
    let others: [Implementation<Float>]

    /// GPT-2's kernels.
    public static let standard = KernelCatalog(
        reference: ReferenceKernels.implementations(), exact: ReferenceKernels.implementations(),
        fast: [
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
            Implementation("fast", FastKernels.cachedAttentionForward),
        ],
        others: [])

    /// All implementations.
    public var implementations: [Implementation<Float>] { reference + fast + others }

    /// This catalog with more kernels, such as both passes of an operation: the reference of each in both precisions, and
    /// other implementations.
    ///
    /// - Precondition: `exact` lists the kernels of `reference`, and those are new.
    public func adding(
        reference: [Implementation<Float>], exact: [Implementation<Double>], others: [Implementation<Float>] = []
    ) -> KernelCatalog {
        let names = self.reference.map(\.kernelName) + reference.map(\.kernelName)
        precondition(Set(names).count == names.count, "a kernel has one reference")
        precondition(reference.map(\.kernelName) == exact.map(\.kernelName), "a reference is one in both precisions")
        return KernelCatalog(
            reference: self.reference + reference, exact: self.exact + exact, fast: fast, others: self.others + others)
    }

    /// The names of implementations, each once, in order of appearance.
    public var names: [String] { Self.unique(implementations.map(\.name)) }

    /// The operations, each once, in the order of the contract.
    public var operations: [String] { Self.unique(kernels.map { $0.name.operation }) }

    /// The kernels, each once, in the order of the contract.
    public var kernels: [any Kernel<Float>.Type] { reference.map(\.kernel) }

    static func unique(_ names: [String]) -> [String] {
        names.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
