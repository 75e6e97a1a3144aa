import Foundation

/// Files that are there whole or not at all.
///
/// A link is followed. What is no file, such as a pipe or a device, is written through, where its bytes can be written
/// one after the other.
public enum AtomicFile {
    /// Tries whether `path` can be written, and writes nothing.
    public static func attempt(_ path: String) throws(FileWriteError) {
        guard case .file(let target, _) = try Destination(path) else { return }
        try Destination.attemptFolder(Destination.folder(of: target))
    }

    /// Writes `data` to `path`. Makes the folder.
    public static func write(_ data: Data, to path: String) throws(FileWriteError) {
        try stream(to: path) { write throws(FileWriteError) in try write(data) }
    }

    /// Has `body` write a file under a temporary name, then syncs it and gives it its own. Makes the folder.
    ///
    /// Whatever happens, even a kill, `path` is what it was or is complete, and nothing else is left.
    ///
    /// - Throws: ``FileWriteError``; also where `path` names no file.
    public static func write(
        to path: String, _ body: (_ temporary: String) throws(FileWriteError) -> Void
    ) throws(FileWriteError) {
        switch try Destination(path) {
        case .file(let target, _):
            let draft = try Draft(of: path, in: Destination.folder(of: target), named: true)
            try draft.fill(body)
            close(try draft.commit(to: target, replaces: true))
        case .stream: throw .noFile(path)
        }
    }

    /// Has `body` write a file piece by piece; otherwise as ``write(to:_:)``.
    public static func stream(
        to path: String,
        _ body: (_ write: (Data) throws(FileWriteError) -> Void) throws(FileWriteError) -> Void
    ) throws(FileWriteError) {
        switch try Destination(path) {
        case .file(let target, _):
            let draft = try Draft(of: path, in: Destination.folder(of: target))
            try body { data throws(FileWriteError) in try draft.append(data) }
            close(try draft.commit(to: target, replaces: true))
        case .stream(let target):
            let descriptor = open(target, O_WRONLY | O_APPEND | O_CLOEXEC)
            guard descriptor >= 0 else { throw FileWriteError(errno: path) }
            defer { close(descriptor) }
            try body { data throws(FileWriteError) in try Draft.write(data, to: descriptor, path) }
        }
    }
}

extension FileWriteError {
    /// What is to be written needs a file, and `path` names none.
    static func noFile(_ path: String) -> FileWriteError {
        FileWriteError(path, "it is a device or a pipe", remedy: "name a file, which this has to be")
    }
}
