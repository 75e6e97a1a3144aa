import Foundation
import Synchronization

/// The threads that a kernel may use.
public struct Workers: Sendable, Hashable {
    /// How many run at once.
    public let count: Int

    /// The calling thread alone.
    public static let one = Workers(count: 1)

    /// `count` threads, at least one.
    public init(count: Int) { self.count = max(count, 1) }

    /// Runs `body` once for each index below `tasks`, on up to ``count`` threads, and returns when all are done.
    ///
    /// Tasks write disjoint elements; a sum is never split between tasks by the number of threads, so that results have
    /// the same bits for any number.
    public func forEach(_ tasks: Int, _ body: @Sendable (Int) -> Void) {
        let threads = min(count, tasks)
        guard threads > 1, ThreadPool.shared.run(tasks, threads: threads, body) else {
            for task in 0..<tasks { body(task) }
            return
        }
    }

    /// Runs `body` once on each of ``count`` threads, the calling one among them; on that alone where the others are busy
    /// with another loop.
    ///
    /// For what belongs to a thread, such as its floating-point environment.
    public func onEachThread(_ body: @Sendable () -> Void) {
        let started = Atomic<Int>(0)
        let ran =
            count > 1
            && ThreadPool.shared.run(count, threads: count) { _ in
                // No thread takes a second task before each has one.
                started.wrappingAdd(1, ordering: .acquiringAndReleasing)
                while started.load(ordering: .acquiring) < count { sched_yield() }
                body()
            }
        if !ran { body() }
    }
}
