import Kernels
import Sentinel
import Synchronization

extension FloatingPointEnvironment {
    /// Restores the default on this thread and on those of `workers`, and says whether any had another.
    @discardableResult
    static func restore(_ workers: Workers) -> Bool {
        let isChanged = Atomic<Bool>(false)
        workers.onEachThread {
            if restore() { isChanged.store(true, ordering: .relaxed) }
        }
        return isChanged.load(ordering: .relaxed)
    }
}
