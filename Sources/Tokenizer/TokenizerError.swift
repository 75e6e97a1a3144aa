/// A vocabulary that cannot be used: what is wrong, in which file, and how to mend it.
public struct TokenizerError: Error, CustomStringConvertible, Sendable {
    public let description: String

    init(_ path: String, _ problem: String) { description = "\(path): \(problem)" }
}
