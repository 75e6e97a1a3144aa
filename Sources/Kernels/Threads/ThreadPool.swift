import Foundation
import Synchronization

/// Threads that outlive a parallel loop: a loop of microseconds cannot pay for starting any.
///
/// A thread without work spins for about the time between two kernels of a model, then sleeps.
final class ThreadPool: Sendable {
    static let shared = ThreadPool()

    /// Whether a loop is running. A second one, from another thread or from within a task, runs without the pool.
    private let isBusy = Atomic<Bool>(false)
    /// The next task: tasks are handed out in order, to whoever comes first.
    private let next = Atomic<Int>(0)
    /// The loop under way; written by its caller before the helpers are called, and by no one while they run.
    nonisolated(unsafe) private var tasks = 0
    nonisolated(unsafe) private var body: (@Sendable (Int) -> Void)?
    /// Grows under ``isBusy``, and never shrinks.
    nonisolated(unsafe) private var helpers: [Helper] = []

    /// Runs the loop on `threads` threads, the caller's among them; false if the pool is busy with another.
    func run(_ tasks: Int, threads: Int, _ body: @Sendable (Int) -> Void) -> Bool {
        guard isBusy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else {
            return false
        }
        while helpers.count < threads - 1 { helpers.append(Helper(of: self)) }
        withoutActuallyEscaping(body) { body in
            self.tasks = tasks
            self.body = body
            next.store(0, ordering: .relaxed)
            for helper in helpers[..<(threads - 1)] { helper.call() }
            takeTasks()
            for helper in helpers[..<(threads - 1)] { helper.dismiss() }
            self.body = nil
        }
        isBusy.store(false, ordering: .releasing)
        return true
    }

    fileprivate func takeTasks() {
        guard let body else { return }
        while true {
            let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard task < tasks else { return }
            body(task)
        }
    }
}

/// A thread of the pool besides the caller's.
private final class Helper: Sendable {
    private enum State: UInt8, AtomicRepresentable {
        case idle, called, working, asleep
    }

    private let state = Atomic<State>(.idle)
    private let alarm = DispatchSemaphore(value: 0)

    init(of pool: ThreadPool) {
        let thread = Thread { [unowned pool, self] in
            while true {
                awaitCall()
                pool.takeTasks()
                state.store(.idle, ordering: .releasing)
            }
        }
        thread.name = "plumbline worker"
        thread.start()
    }

    /// Has the thread take part in the pool's loop.
    func call() {
        if state.exchange(.called, ordering: .acquiringAndReleasing) == .asleep { alarm.signal() }
    }

    /// Returns when the thread has left the loop; one that has not come yet need not come any more.
    func dismiss() {
        if state.compareExchange(expected: .called, desired: .idle, ordering: .relaxed).exchanged { return }
        var spins = 0
        while state.load(ordering: .acquiring) == .working { pause(&spins) }
    }

    private func awaitCall() {
        var spins = 0
        while !state.compareExchange(expected: .called, desired: .working, ordering: .acquiring).exchanged {
            pause(&spins)
            guard spins > Self.patience else { continue }
            spins = 0
            if state.compareExchange(expected: .idle, desired: .asleep, ordering: .relaxed).exchanged { alarm.wait() }
        }
    }

    /// The spins before sleep.
    private static let patience = 20_000

    /// Lets other threads run now and then, should there be more of them than cores.
    private func pause(_ spins: inout Int) {
        spins += 1
        if spins % 256 == 0 { sched_yield() }
    }
}
