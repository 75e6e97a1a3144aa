import Foundation

/// A file that cannot be read: which, why, and how to mend it.
public struct FileReadError: Error, CustomStringConvertible, Sendable {
    /// The file's path.
    public let file: String
    /// What is wrong.
    public let problem: String
    /// How to mend it.
    public let remedy: String

    public var description: String { "\(file): \(problem); \(remedy)" }

    init(_ file: String, _ problem: String, remedy: String) {
        (self.file, self.problem, self.remedy) = (file, problem, remedy)
    }

    /// The file at `path` cannot be read, as `errno` says.
    init(errno path: String) {
        switch errno {
        case ENOENT, ENOTDIR: self.init(path, "there is no such file", remedy: "see its path")
        case EACCES, EPERM: self.init(path, "it cannot be read", remedy: "see whether you may read it")
        case let code: self.init(path, "it cannot be read (\(String(cString: strerror(code))))", remedy: "see its disk")
        }
    }
}

/// A file that is read at any place.
///
/// It is not mapped: where another program cuts it short, the next read is an error, and a mapping would end the process.
public final class InputFile: Sendable {
    /// The path.
    public let path: String
    /// The bytes that it had when it was opened.
    public let count: Int
    private let descriptor: Int32

    /// Opens the file at `path`.
    ///
    /// - Throws: ``FileReadError`` where there is none, or something that is no file.
    public init(_ path: String) throws(FileReadError) {
        // Without waiting for the other end, should it be a pipe.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileReadError(errno: path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw FileReadError(path, "it is no regular file", remedy: "give the path of a file")
        }
        (self.path, count, self.descriptor) = (path, Int(status.st_size), descriptor)
    }

    deinit { close(descriptor) }

    /// Reads the bytes from `offset` on that fill `buffer`.
    public func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(FileReadError) {
        var rest = buffer[...]
        while !rest.isEmpty {
            let count = pread(
                descriptor, UnsafeMutableRawBufferPointer(rebasing: rest).baseAddress, rest.count,
                off_t(offset + rest.startIndex))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileReadError(errno: path) }
            guard count > 0 else {
                throw FileReadError(
                    path, "it ends at byte \(offset + rest.startIndex)",
                    remedy: "it is truncated, or was changed while it was read; write it anew")
            }
            rest = rest.dropFirst(count)
        }
    }

    /// The bytes of a range.
    public func data(_ range: Range<Int>) throws(FileReadError) -> Data {
        var data = Data(count: range.count)
        var failure: FileReadError?
        data.withUnsafeMutableBytes { bytes in
            do throws(FileReadError) { try read(at: range.lowerBound, into: bytes) } catch { failure = error }
        }
        if let failure { throw failure }
        return data
    }
}
