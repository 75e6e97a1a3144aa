import Foundation

/// A file that could not be written: which, why, and how to mend it.
public struct FileWriteError: Error, CustomStringConvertible, Sendable {
    public let description: String
    /// Whether another program has the file.
    public let isTaken: Bool

    /// The file at `path` cannot be written for that reason.
    public init(
        _ path: String, _ reason: String, remedy: String = "is there space, and may you write there?"
    ) {
        description = "\(path): cannot be written (\(reason)); \(remedy)"
        isTaken = false
    }

    /// The file at `path` cannot be written, as the error of that number says.
    init(_ path: String, errno reason: Int32) { self.init(path, String(cString: strerror(reason))) }

    /// The file at `path` cannot be written, as `errno` says.
    init(errno path: String) { self.init(path, errno: errno) }

    private init(taken description: String) { (self.description, isTaken) = (description, true) }

    /// Another program has the file at `path`.
    static func taken(_ path: String) -> FileWriteError {
        FileWriteError(
            taken: "\(path): another run is writing it; wait for that to end, or name another file")
    }
}
