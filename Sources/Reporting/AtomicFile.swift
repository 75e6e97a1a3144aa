import Foundation

/// A file that could not be written.
public struct FileWriteError: Error, CustomStringConvertible, Sendable {
    public let description: String
}

/// Files that are there whole or not at all.
public enum AtomicFile {
    /// Writes `data` to `path`: under a temporary name beside it, synced, then renamed. Makes the folder.
    public static func write(_ data: Data, to path: String) throws(FileWriteError) {
        let folder = (path as NSString).deletingLastPathComponent
        let temporary = path + ".partial"
        do {
            if !folder.isEmpty {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            }
            try data.write(to: URL(fileURLWithPath: temporary))
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: temporary))
            try handle.synchronize()
            try handle.close()
        } catch {
            unlink(temporary)
            throw FileWriteError(
                description:
                    "\(path): cannot be written (\(error.localizedDescription)); is there space, and may you write there?"
            )
        }
        guard rename(temporary, path) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(temporary)
            throw FileWriteError(description: "\(path): cannot be replaced (\(reason)); is it a folder?")
        }
    }
}
