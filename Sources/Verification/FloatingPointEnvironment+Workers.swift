import Kernels
import Sentinel
import Synchronization

extension FloatingPointEnvironment {
    /// Restores the default on this thread and on those of `workers`; gives what was another on any.
    @discardableResult
    static func restore(_ workers: Workers) -> Changes {
        let changes = Atomic<UInt32>(0)
        workers.onEachThread { changes.bitwiseOr(restore().rawValue, ordering: .relaxed) }
        return Changes(rawValue: changes.load(ordering: .relaxed))
    }
}
