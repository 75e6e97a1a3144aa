import Foundation

/// The threads that a kernel may use.
public struct Workers: Sendable, Hashable {
    /// How many run at once.
    public let count: Int

    /// The calling thread alone.
    public static let one = Workers(count: 1)

    /// The most threads that a command takes: four for each processor, and 64 whatever the machine, so that what is tried
    /// on a small one holds on a large one. More only wait for each other.
    public static let most = max(64, 4 * ProcessInfo.processInfo.activeProcessorCount)

    /// `count` threads, at least one. Beyond ``most``, or where the system gives fewer, as many as there are do the work, and
    /// one line on standard error says so.
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
        if count == 1 || !ThreadPool.shared.runOnEach(of: count, body) { body() }
    }
}
