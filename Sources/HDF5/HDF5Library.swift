import CHDF5
import Foundation

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

extension String {
    /// What libhdf5 wrote into a buffer, up to the zero that ends it.
    init(terminated buffer: [CChar]) {
        self.init(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
