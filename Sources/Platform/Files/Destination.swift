import Foundation

/// What a path names that is to be written: a file to replace as a whole, or something that takes bytes as they come.
enum Destination {
    /// A file at that path, which no link is part of at its end; whether there is one yet.
    case file(String, exists: Bool)
    /// A device, a named pipe or an open file of a process, to be opened at that path.
    case stream(String)

    /// Looks at what `path` names, and follows links, also to what is not there yet.
    ///
    /// - Throws: ``FileWriteError`` where nothing can be written.
    init(_ path: String) throws(FileWriteError) {
        guard !path.isEmpty else {
            throw FileWriteError(
                "''", "it is no name of a file", remedy: "name one; is the variable that should hold it set?")
        }
        var target = path
        for _ in 0..<Self.mostLinks {
            var status = stat()
            guard lstat(target, &status) == 0 else {
                guard errno == ENOENT, !target.hasSuffix("/") else { throw FileWriteError(errno: path) }
                self = .file(target, exists: false)
                return
            }
            switch status.st_mode & S_IFMT {
            case S_IFLNK:
                // A link of the proc file system names an open file, whatever its text says.
                if target.hasPrefix("/proc/") || target.hasPrefix("/dev/fd/") {
                    self = .stream(target)
                    return
                }
                target = try Self.target(of: target, in: path)
            case S_IFREG:
                guard access(target, W_OK) == 0 else { throw FileWriteError(errno: path) }
                self = .file(target, exists: true)
                return
            case S_IFDIR: throw FileWriteError(path, "it is a folder", remedy: "name a file in it")
            case S_IFSOCK: throw FileWriteError(path, "it is a socket", remedy: "name a file")
            default:
                self = .stream(target)
                return
            }
        }
        throw FileWriteError(path, "its links go in a circle", remedy: "name a file")
    }

    /// As many links as Linux itself follows.
    private static let mostLinks = 40

    /// What the link at `link` names, seen from the working directory.
    private static func target(of link: String, in path: String) throws(FileWriteError) -> String {
        guard let text = try? FileManager.default.destinationOfSymbolicLink(atPath: link), !text.isEmpty else {
            throw FileWriteError(path, "the link \(link) cannot be read")
        }
        return text.hasPrefix("/") ? text : "\(folder(of: link))/\(text)"
    }

    /// The folder that a file lies in.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Makes a folder and those that it lies in, where there are none.
    static func makeFolder(_ folder: String) throws(FileWriteError) {
        guard try !isFolder(folder) else { return }
        if case let parent = Self.folder(of: folder), parent != folder { try makeFolder(parent) }
        // Another program may have made it meanwhile.
        guard mkdir(folder, 0o777) == 0 || errno == EEXIST else { throw FileWriteError(errno: folder) }
    }

    /// Tries whether files can be written to a folder, and leaves nothing, not even the folder where there is none.
    static func attemptFolder(_ folder: String) throws(FileWriteError) {
        var nearest = folder
        while try !isFolder(nearest), case let parent = Self.folder(of: nearest), parent != nearest { nearest = parent }
        _ = try Draft(of: folder, in: nearest)
    }

    /// Whether there is such a folder.
    ///
    /// - Throws: ``FileWriteError`` where there is something else, or it cannot be looked at.
    private static func isFolder(_ folder: String) throws(FileWriteError) -> Bool {
        var status = stat()
        guard stat(folder, &status) == 0 else {
            guard errno == ENOENT else { throw FileWriteError(errno: folder) }
            return false
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw FileWriteError(folder, "it is a file, and has to be a folder", remedy: "name another")
        }
        return true
    }
}
