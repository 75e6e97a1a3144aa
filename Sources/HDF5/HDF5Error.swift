import CHDF5
import Foundation

/// What went wrong, in which file, at which object.
public struct HDF5Error: Error, CustomStringConvertible, Sendable {
    /// The file's path.
    public let file: String
    /// The path of the group, dataset or attribute in the file; empty for the file itself.
    public let object: String
    /// What failed.
    public let problem: String
    /// What libhdf5 said about it; empty where it did not fail itself.
    public let detail: String

    /// An error at `object` of `file`, with what libhdf5's error stack holds.
    init(_ file: String, _ object: String, _ problem: String) {
        self.file = file
        self.object = object
        self.problem = problem
        detail = HDF5Library.takeErrors()
    }

    /// Why it failed, without where: what the operating system or libhdf5 said, or what failed.
    public var reason: String { detail.isEmpty ? problem : detail }

    public var description: String {
        (object.isEmpty ? file : "\(file): \(object)") + ": \(problem)" + (detail.isEmpty ? "" : " (\(detail))")
    }
}

/// libhdf5 as a whole.
enum HDF5Library {
    /// Held by every function of this module while it calls libhdf5: not every build of it is thread-safe, not even for
    /// two files at once. Recursive, since the functions call one another.
    private static let lock = NSRecursiveLock()

    /// What libhdf5 does when the process ends, to files that are still open, crashes after a failed write. No file here
    /// outlives its scope.
    private static let leftToScopes: Bool = H5dont_atexit() >= 0

    /// Takes the lock, and stops libhdf5 from printing errors, which it remembers for each thread; they go into
    /// ``HDF5Error`` instead.
    static func enter() {
        lock.lock()
        _ = leftToScopes
        H5Eset_auto2(chdf5_error_stack(), nil, nil)
    }

    /// Gives the lock back.
    static func leave() { lock.unlock() }

    /// The innermost message of the error stack, which is then cleared; the operating system's, where it has one.
    static func takeErrors() -> String {
        var message = ""
        _ = withUnsafeMutablePointer(to: &message) { message in
            H5Ewalk2(
                chdf5_error_stack(), H5E_WALK_DOWNWARD,
                { depth, error, message in
                    guard let error, let text = error.pointee.desc else { return 0 }
                    message?.assumingMemoryBound(to: String.self).pointee = String(cString: text)
                    return 0
                }, message)
        }
        H5Eclear2(chdf5_error_stack())
        let parts = message.components(separatedBy: "error message = '")
        return parts.count == 2 ? String(parts[1].prefix { $0 != "'" }) : message
    }
}
