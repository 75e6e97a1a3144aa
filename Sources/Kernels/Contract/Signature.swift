/// A size of a call, with the rule that it keeps.
public struct Size: Sendable, Hashable {
    /// The name, such as `B`.
    public let name: String
    /// The number.
    public let value: Int
    /// The least that it can be, and what that comes from, such as another size.
    public let least: Int
    let leastName: String?
    /// What it is a multiple of, and its name.
    public let divisor: Int
    let divisorName: String?
    /// Whether functions of the C ABI are handed it.
    public let isPassed: Bool
    /// Whether the call is linear along it: where each argument that has the size is replaced by a sum over its positions
    /// with some signs, the results that have it are their sums with those signs, and the others stay as they are.
    public let isLinear: Bool

    /// What is wrong with the number; nil if it keeps its rule.
    public var problem: String? {
        if value < least {
            return "\(name) is \(value), and must be at least \(least)" + (leastName.map { ", which is \($0)" } ?? "")
        }
        guard value % divisor == 0 else {
            return "\(name) is \(value), and must be a multiple of \(divisor)"
                + (divisorName.map { ", which is \($0)" } ?? "")
        }
        return nil
    }
}

/// A number of a call that is no size, such as a learning rate.
public struct Hyperparameter: Sendable, Hashable {
    /// The name, such as `learning_rate`.
    public let name: String
    /// The number.
    public let value: Float
}

/// Everything that a call takes, without its data, in the order of the C ABI: arguments, then hyperparameters and sizes.
public struct Signature: Sendable {
    /// The sizes.
    public internal(set) var sizes: [Size] = []
    /// The hyperparameters.
    public internal(set) var hyperparameters: [Hyperparameter] = []
    /// The tensors.
    public internal(set) var arguments: [Argument] = []
    /// Which results are written instead of added to.
    public internal(set) var overwrites: Overwriting = []

    /// The sizes by name.
    public var sizesByName: [String: Int] { Dictionary(uniqueKeysWithValues: sizes.map { ($0.name, $0.value) }) }

    /// What is only read.
    public var inputs: [Argument] { arguments.filter { !$0.isResult } }
    /// What is written or added to.
    public var results: [Argument] { arguments.filter(\.isResult) }

    /// The argument of that name.
    public subscript(name: String) -> Argument? { arguments.first { $0.name == name } }

    /// What is wrong with the sizes; nil if they can be used.
    public var problem: String? {
        sizes.lazy.compactMap(\.problem).first
            ?? arguments.first { $0.count >= 1 << 40 }.map { "\($0.name) of shape \($0.shape) is too large" }
    }
}

/// Sizes that a kernel cannot have: which, and why.
public struct SignatureError: Error, CustomStringConvertible, Sendable {
    public let description: String
}
