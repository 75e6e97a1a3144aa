/// Something that training or its files cannot go on with: what is wrong, where, and how to mend it.
public struct TrainingError: Error, CustomStringConvertible, Sendable {
    public let description: String

    /// An error of that description.
    public init(_ description: String) { self.description = description }

    /// An error in the file at `path`.
    init(_ path: String, _ problem: String) { description = "\(path): \(problem)" }
}
