import Foundation

/// A file that could not be written.
public struct FileWriteError: Error, CustomStringConvertible, Sendable {
    public let description: String

    /// An error of that description.
    public init(description: String) { self.description = description }
}

/// Files that are there whole or not at all.
public enum AtomicFile {
    /// Writes `data` to `path`. Makes the folder.
    public static func write(_ data: Data, to path: String) throws(FileWriteError) {
        try write(to: path) { temporary throws(FileWriteError) in
            do {
                try data.write(to: URL(fileURLWithPath: temporary))
            } catch {
                throw FileWriteError(path, error.localizedDescription)
            }
        }
    }

    /// Has `body` write a file under a temporary name beside `path`, then syncs and renames it. Makes the folder.
    ///
    /// Whatever happens, even a kill, `path` is what it was or is complete.
    ///
    /// - Throws: ``FileWriteError``; the temporary file is then gone.
    public static func write(
        to path: String, _ body: (_ temporary: String) throws(FileWriteError) -> Void
    ) throws(FileWriteError) {
        // NSString's own way to the folder crashes on a name of one letter.
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let temporary = path + ".partial"
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw FileWriteError(path, error.localizedDescription)
        }
        do throws(FileWriteError) {
            try body(temporary)
            try synchronize(temporary)
        } catch {
            unlink(temporary)
            throw error
        }
        guard rename(temporary, path) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(temporary)
            throw FileWriteError(description: "\(path): cannot be replaced (\(reason)); is it a folder?")
        }
        // The new name must reach the disk as well.
        try synchronize(folder)
    }

    /// Has `body` write a file piece by piece; otherwise as ``write(to:_:)``.
    public static func stream(
        to path: String,
        _ body: (_ write: (Data) throws(FileWriteError) -> Void) throws(FileWriteError) -> Void
    ) throws(FileWriteError) {
        try write(to: path) { temporary throws(FileWriteError) in
            guard FileManager.default.createFile(atPath: temporary, contents: nil),
                let handle = FileHandle(forWritingAtPath: temporary)
            else { throw FileWriteError(path, String(cString: strerror(errno))) }
            defer { try? handle.close() }
            try body { data throws(FileWriteError) in
                do {
                    try handle.write(contentsOf: data)
                } catch {
                    throw FileWriteError(path, error.localizedDescription)
                }
            }
        }
    }

    private static func synchronize(_ path: String) throws(FileWriteError) {
        let descriptor = open(path, O_RDONLY)
        defer { if descriptor >= 0 { close(descriptor) } }
        guard descriptor >= 0, fsync(descriptor) == 0 else {
            throw FileWriteError(path, String(cString: strerror(errno)))
        }
    }
}

extension FileWriteError {
    /// The file at `path` cannot be written for that reason.
    public init(_ path: String, _ reason: String) {
        description = "\(path): cannot be written (\(reason)); is there space, and may you write there?"
    }
}
