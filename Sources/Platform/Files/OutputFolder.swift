import Foundation

/// The folder that a command writes its report to.
public struct OutputFolder: Sendable {
    /// Its path.
    public let path: String

    /// The folder at `path`, which is tried, and made when the first file is written: what cannot be written is better
    /// known now than when all has been computed.
    ///
    /// - Throws: ``FileWriteError`` where no file can be written to it.
    public init(_ path: String) throws(FileWriteError) {
        guard !path.isEmpty else {
            throw FileWriteError(
                "''", "it is no name of a folder", remedy: "name one; is the variable that should hold it set?")
        }
        self.path = path
        try Destination.attemptFolder(path)
    }

    /// Writes files under those names.
    public func write(_ files: [(name: String, data: Data)]) throws(FileWriteError) {
        for file in files { try AtomicFile.write(file.data, to: self(file.name)) }
    }

    /// The path of the file of that name.
    public func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }
}
