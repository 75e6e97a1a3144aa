import Accuracy
import Kernels

/// Elements of a call's arguments that change from set to set, but for those that a kernel may know an argument by: the
/// first, those in the middle, and the last.
struct AlikeElements: ElementSource {
    private let base, other: DrawnCall

    /// Those of `call` in one of several sets.
    init(_ call: DrawnCall, set: Int) {
        base = call
        var other = call
        other.seed = call.seed &+ UInt64(set + 1) << 40
        self.other = other
    }

    /// The elements at an argument's start, and around its middle and at its end, that stay.
    private static let (first, beside) = (64, 2)

    /// How many of so many elements change.
    static func changing(of count: Int) -> Int { max(0, count - first - 3 * beside - 1) }

    private static func stays(_ index: Int, of count: Int) -> Bool {
        index < first || index >= count - beside || abs(index - count / 2) <= beside
    }

    func numbers(_ argument: Argument, _ distribution: Distribution, at indices: Positions) -> [Float] {
        let (stay, change) = (Draw(argument.name, seed: base.seed), Draw(argument.name, seed: other.seed))
        return indices.map { (Self.stays($0, of: argument.count) ? stay : change).number($0, distribution) }
    }

    func tokens(_ argument: Argument, below bound: Int, at indices: Positions) -> [Int32] {
        let (stay, change) = (Draw(argument.name, seed: base.seed), Draw(argument.name, seed: other.seed))
        return indices.map { (Self.stays($0, of: argument.count) ? stay : change).token($0, below: bound) }
    }
}
