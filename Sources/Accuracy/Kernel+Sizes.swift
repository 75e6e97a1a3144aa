import Kernels

/// What follows from the sizes of a call alone.
extension Kernel {
    /// The operations of a call of those sizes, or the elements of its arguments, whichever are more.
    public static func work(at sizes: [String: Int]) -> Int {
        let call = Self(sizes: sizes) { _ in nil }
        return max(call.cost.operations, call.signature.arguments.reduce(0) { $0 + $1.count })
    }

    /// The sizes in words, in the order of the contract: `B 4, T 64, C 768`.
    public static func words(forSizes sizes: [String: Int]) -> String {
        Self(sizes: sizes) { _ in nil }.signature.sizes.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
    }
}
