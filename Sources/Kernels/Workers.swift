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
}
