import CPlatform
import Foundation

/// A file without a name, in the folder for temporary files or, where none can be written, in memory.
///
/// It is gone with the last process that has it open, whatever ends that: no kill leaves anything.
public struct UnnamedFile: ~Copyable, Sendable {
    /// The descriptor, for reading and for appending.
    public let descriptor: Int32

    /// A new file, empty.
    ///
    /// - Throws: ``FileWriteError`` when there can be none.
    public init() throws(FileWriteError) {
        let folder = NSTemporaryDirectory()
        descriptor = file_open_scratch(folder)
        guard descriptor >= 0 else { throw FileWriteError(errno: folder) }
    }

    deinit { close(descriptor) }

    /// The path by which other processes of this user can open it, as long as this process has it.
    public var path: String { "/proc/\(getpid())/fd/\(descriptor)" }

    /// Appends bytes.
    ///
    /// - Throws: ``FileWriteError`` when there is no room.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(FileWriteError) {
        if let reason = Descriptors.write(bytes, to: descriptor) {
            throw FileWriteError("a temporary file in \(NSTemporaryDirectory())", errno: reason)
        }
    }

    /// The last `most` bytes, or all, as text; what is no UTF-8 is replaced.
    public func text(last most: Int = .max) -> String {
        let size = Int(lseek(descriptor, 0, SEEK_END))
        var bytes = [UInt8](repeating: 0, count: min(max(size, 0), most))
        let start = off_t(size - bytes.count)
        let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, start) }
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }
}
