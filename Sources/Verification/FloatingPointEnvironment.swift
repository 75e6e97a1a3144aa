import CSentinel
import Kernels
import Synchronization

/// The state of the processor that changes what float arithmetic gives: whether subnormals are flushed to zero, and how
/// results are rounded. Each thread has its own.
///
/// A library that was built with `-Ofast` may change it for the whole process when it is loaded.
enum FloatingPointEnvironment {
    /// Restores the default on this thread and on those of `workers`, and says whether any had another.
    @discardableResult
    static func restore(_ workers: Workers) -> Bool {
        let isChanged = Atomic<Bool>(false)
        workers.onEachThread {
            if restoreOnThisThread() { isChanged.store(true, ordering: .relaxed) }
        }
        return isChanged.load(ordering: .relaxed)
    }

    private static func restoreOnThisThread() -> Bool {
        guard sentinel_float_control() != 0 else { return false }
        sentinel_reset_float_control()
        return true
    }
}
