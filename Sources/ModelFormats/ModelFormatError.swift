import Platform

/// A model's file that cannot be used: what is wrong, where, and how to mend it.
public struct ModelFormatError: Error, CustomStringConvertible, Sendable {
    public let description: String

    /// An error in the file at `path`.
    init(_ path: String, _ problem: String) { description = "\(path): \(problem)" }

    /// A file that cannot be read.
    init(_ error: FileReadError) { description = error.description }
}
