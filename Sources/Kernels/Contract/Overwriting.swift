/// Which results a backward call writes instead of adding to: as with β = 0 in BLAS, nothing need be zeroed before.
///
/// An implementation that only adds may be called so too; ``KernelSet`` then clears the results first.
public struct Overwriting: OptionSet, Sendable, Hashable {
    public let rawValue: Int

    public init(rawValue: Int) { self.rawValue = rawValue }

    /// The gradients of activations, such as dinp.
    public static let activations = Overwriting(rawValue: 1)
    /// The gradients of parameters, such as dweight: in the first micro-batch of a step.
    public static let parameters = Overwriting(rawValue: 2)

    /// Each of them by the name that it has in the names of cases.
    public static let named: [(name: String, option: Overwriting)] = [
        ("activations", .activations), ("parameters", .parameters),
    ]
}
