import Foundation
import Platform
import Terminal

/// The right to be the only gate in a checkout: two would build in the same folders, and each would slow the other's
/// kernels. Whatever ends the process gives it back.
struct GateLock: ~Copyable {
    private let file: Int32

    /// Takes it.
    ///
    /// - Throws: `UsageError` when another gate has it, or the folder cannot be written.
    init() throws(UsageError) {
        let path = "\(Checkout.folder)/lock"
        try? FileManager.default.createDirectory(atPath: Checkout.folder, withIntermediateDirectories: true)
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard file >= 0 else {
            throw UsageError(
                "gate: \(path) cannot be written (\(String(cString: strerror(errno)))); may you write there?")
        }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            let owner = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            throw UsageError("gate: another gate runs in this checkout (process \(owner)); wait for its end")
        }
        self.file = file
        let owner = "\(getpid())"
        ftruncate(file, 0)
        _ = write(file, owner, owner.utf8.count)
    }

    deinit { close(file) }
}
