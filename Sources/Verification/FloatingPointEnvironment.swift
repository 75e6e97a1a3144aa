import CSentinel
import Kernels
import Tensors

/// The state of the processor that changes what float arithmetic gives: whether subnormals are flushed to zero, and how
/// results are rounded. Each thread has its own.
///
/// A library that was built with `-Ofast` may change it for the whole process when it is loaded.
enum FloatingPointEnvironment {
    /// Restores the default on this thread and on those of `workers`, and says whether any had another.
    @discardableResult
    static func restore(_ workers: Workers) -> Bool {
        let changed = Tensor<UInt8>(repeating: 0, count: workers.count + 1)
        workers.forEach(workers.count) { changed.view[$0] = restoreOnThisThread() ? 1 : 0 }
        changed.view[workers.count] = restoreOnThisThread() ? 1 : 0
        return changed.view.buffer.contains(1)
    }

    private static func restoreOnThisThread() -> Bool {
        guard sentinel_float_control() != 0 else { return false }
        sentinel_reset_float_control()
        return true
    }
}
