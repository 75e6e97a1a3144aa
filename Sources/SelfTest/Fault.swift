import Kernels
import Tensors

/// A bug planted on purpose: an implementation that is wrong.
public struct Fault: Sendable {
    /// What is wrong, in words.
    public let name: String
    /// The kernel that has it.
    public let implementation: Implementation<Float>

    /// The sizes of calls that can show it; none but these are tried.
    let isActive: @Sendable (_ sizes: [String: Int]) -> Bool

    /// The kernel that must be blamed.
    public var kernel: KernelName { implementation.kernelName }

    init(
        _ name: String, in implementation: Implementation<Float>,
        at isActive: @escaping @Sendable (_ sizes: [String: Int]) -> Bool = { _ in true }
    ) {
        self.name = name
        self.implementation = implementation
        self.isActive = isActive
    }
}
