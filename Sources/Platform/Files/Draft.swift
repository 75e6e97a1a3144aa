import CPlatform
import Foundation

/// A file under way to its name.
///
/// Until then it has no name, and goes with the process that writes it, whatever ends that. Where it needs one, since a
/// library opens files by their names or the file system knows none without, it has a temporary one and is locked:
/// whoever writes into the folder next removes those that nobody holds.
struct Draft: ~Copyable {
    /// The open file, which is locked.
    let descriptor: Int32
    /// Its temporary name; nil where it has none.
    let temporary: String?
    /// The path in the messages.
    private let subject: String
    private let folder: String

    /// A draft of `subject` in `folder`, which is made; with a temporary name where one is needed.
    init(of subject: String, in folder: String, named isNamed: Bool = false) throws(FileWriteError) {
        try Destination.makeFolder(folder)
        Self.removeAbandoned(in: folder)
        let opened = try Self.open(subject, in: folder, named: isNamed)
        (descriptor, temporary) = opened
        (self.subject, self.folder) = (subject, folder)
        // A file system without locks has none that this could be held against.
        _ = file_lock(descriptor)
    }

    private static func open(
        _ subject: String, in folder: String, named isNamed: Bool
    ) throws(FileWriteError) -> (descriptor: Int32, temporary: String?) {
        let unnamed = isNamed ? -1 : file_open_unnamed(folder)
        if unnamed >= 0 { return (unnamed, nil) }
        let path = temporaryName(in: folder)
        let named = Foundation.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard named >= 0 else { throw FileWriteError(errno: subject) }
        return (named, path)
    }

    deinit {
        if let temporary { unlink(temporary) }
        close(descriptor)
    }

    /// Has `body` write it under its temporary name, which it was asked to have.
    func fill(_ body: (_ temporary: String) throws(FileWriteError) -> Void) throws(FileWriteError) {
        guard let temporary else { preconditionFailure("a draft without a name cannot be opened again") }
        try body(temporary)
    }

    /// Appends bytes.
    func append(_ data: Data) throws(FileWriteError) { try Self.write(data, to: descriptor, subject) }

    /// Writes bytes to an open file of the name `subject`.
    static func write(_ data: Data, to descriptor: Int32, _ subject: String) throws(FileWriteError) {
        if let reason = data.withUnsafeBytes({ Descriptors.write($0, to: descriptor) }) {
            throw FileWriteError(subject, errno: reason)
        }
    }

    /// Has the content reach the disk, and the file its name: `target`, in the same folder. Gives the open file, which is
    /// still locked.
    ///
    /// - Throws: ``FileWriteError``; where `replaces` is false and there is something at `target`, that it is taken.
    consuming func commit(to target: String, replaces: Bool) throws(FileWriteError) -> Int32 {
        guard fsync(descriptor) == 0 else { throw FileWriteError(errno: subject) }
        if replaces { keepOwnership(of: target) }
        try name(target, replaces: replaces)
        // The new name must reach the disk as well.
        let parent = Foundation.open(folder, O_RDONLY | O_CLOEXEC)
        defer { if parent >= 0 { close(parent) } }
        guard parent >= 0, fsync(parent) == 0 else { throw FileWriteError(errno: subject) }
        // Where it fails here the descriptor is closed with the draft, as before.
        let held = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard held >= 0 else { throw FileWriteError(errno: subject) }
        return held
    }

    private func name(_ target: String, replaces: Bool) throws(FileWriteError) {
        guard replaces else {
            let result = temporary.map { link($0, target) } ?? file_name(descriptor, target)
            guard result == 0 else { throw errno == EEXIST ? .taken(subject) : FileWriteError(errno: subject) }
            return
        }
        let source = temporary ?? Self.temporaryName(in: folder)
        guard temporary != nil || file_name(descriptor, source) == 0, rename(source, target) == 0 else {
            let error = FileWriteError(errno: subject)
            unlink(source)
            throw error
        }
    }

    /// Gives the draft the permissions and, where that may be, the owner of the file that it will replace.
    private func keepOwnership(of target: String) {
        var status = stat()
        guard stat(target, &status) == 0 else { return }
        _ = fchown(descriptor, status.st_uid, status.st_gid)
        _ = fchmod(descriptor, status.st_mode & 0o7777)
    }

    // MARK: - Temporary names

    private static let prefix = ".plumbline-"
    private static let suffix = ".partial"

    private static func temporaryName(in folder: String) -> String {
        "\(folder)/\(prefix)\(UUID().uuidString)\(suffix)"
    }

    /// Removes temporary files that no process holds.
    private static func removeAbandoned(in folder: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where name.hasPrefix(prefix) && name.hasSuffix(suffix) {
            let path = "\(folder)/\(name)"
            let file = Foundation.open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
            guard file >= 0 else { continue }
            if file_lock(file) == 0 { unlink(path) }
            close(file)
        }
    }
}
