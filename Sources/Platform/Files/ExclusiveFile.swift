import CPlatform
import Foundation

/// A file that this process writes again and again, and no other meanwhile.
///
/// The file itself is locked, in each of its versions before that has its name: there is no moment at which another
/// process could take it, and nothing to remove when this one ends, whatever ends it.
public struct ExclusiveFile: ~Copyable {
    /// The path, as it was given.
    public let path: String
    private let target: String
    /// The version that has the name, locked; nil before the first.
    private var held: Int32?

    /// Takes the file at `path`, or the right to be the first to write it.
    ///
    /// - Throws: ``FileWriteError`` where it cannot be written, or another process has it.
    public init(_ path: String) throws(FileWriteError) {
        guard case .file(let target, let exists) = try Destination(path) else { throw .noFile(path) }
        let held = exists ? try Self.lock(target, path) : nil
        (self.path, self.target, self.held) = (path, target, held)
    }

    deinit { if let held { close(held) } }

    /// Whether there is a version.
    public var exists: Bool { held != nil }

    /// Has `body` write the next version under a temporary name; it is then synced and gets the name.
    ///
    /// - Throws: ``FileWriteError``; the version before is then unchanged. Before the first version, also that another
    ///   process was faster.
    public mutating func write(_ body: (_ temporary: String) throws(FileWriteError) -> Void) throws(FileWriteError) {
        let draft = try Draft(of: path, in: Destination.folder(of: target), named: true)
        try draft.fill(body)
        let written = try draft.commit(to: target, replaces: held != nil)
        if let held { close(held) }
        held = written
    }

    private static func lock(_ target: String, _ path: String) throws(FileWriteError) -> Int32 {
        while true {
            let file = open(target, O_RDWR | O_CLOEXEC)
            guard file >= 0 else { throw FileWriteError(errno: path) }
            var (opened, named) = (stat(), stat())
            if file_lock(file) != 0 {
                let error = errno == EAGAIN || errno == EACCES ? .taken(path) : FileWriteError(errno: path)
                close(file)
                throw error
            }
            // Its name may have gone to a newer version between the two.
            if fstat(file, &opened) == 0, stat(target, &named) == 0, opened.st_ino == named.st_ino { return file }
            close(file)
        }
    }
}
