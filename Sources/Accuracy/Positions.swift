/// Flat indices of elements: those of a whole tensor, which take no memory, or some.
public struct Positions: RandomAccessCollection, Sendable {
    public let startIndex = 0
    public let endIndex: Int
    private let chosen: [Int]?

    /// All below `count`.
    public init(below count: Int) { (endIndex, chosen) = (count, nil) }

    /// Those.
    public init(_ chosen: [Int]) { (endIndex, self.chosen) = (chosen.count, chosen) }

    /// Whether they are all from 0 on.
    public var areAll: Bool { chosen == nil }

    public subscript(number: Int) -> Int { chosen.map { $0[number] } ?? number }
}
