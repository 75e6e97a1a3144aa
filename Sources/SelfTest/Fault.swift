import Kernels
import Tensors

/// A bug planted on purpose: an implementation that is wrong.
public struct Fault: Sendable {
    /// What is wrong, in words.
    public let name: String
    /// The kernel that has it.
    public let implementation: Implementation<Float>

    /// The kernel that must be blamed.
    public var kernel: KernelName { implementation.kernelName }

    init(_ name: String, in implementation: Implementation<Float>) {
        self.name = name
        self.implementation = implementation
    }
}
