/// A kernel call to time: its name, its sizes, and what it goes without.
public struct KernelTask: Codable, Sendable, Hashable {
    /// The kernel, such as `matmul forward`.
    public var kernel: String
    /// The sizes, by name.
    public var sizes: [String: Int]
    /// The optional arguments that are left out.
    public var absent: [String]
    /// The threads.
    public var threads: Int
    /// Chooses the numbers.
    public var seed: UInt64

    /// A task.
    public init(kernel: String, sizes: [String: Int], absent: [String] = [], threads: Int = 1, seed: UInt64 = 1) {
        self.kernel = kernel
        self.sizes = sizes
        self.absent = absent
        self.threads = threads
        self.seed = seed
    }
}

/// A task that cannot be carried out.
package struct TaskError: Error, CustomStringConvertible {
    package let description: String

    /// An error of that description.
    package init(description: String) { self.description = description }
}
