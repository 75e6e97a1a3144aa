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
    /// Whether the system gave fewer threads than were asked for.
    nonisolated(unsafe) private var isShort = false

    /// Runs the loop on up to `threads` threads, the caller's among them; false if the pool is busy with another.
    func run(_ tasks: Int, threads: Int, _ body: @Sendable (Int) -> Void) -> Bool {
        claim { loop(tasks, helpers: start(threads - 1), body) }
    }

    /// Runs `body` once on each of up to `threads` threads, the caller's among them; false if the pool is busy.
    func runOnEach(of threads: Int, _ body: @Sendable () -> Void) -> Bool {
        claim {
            let helpers = start(threads - 1)
            let started = Atomic<Int>(0)
            loop(helpers + 1, helpers: helpers) { _ in
                // No thread takes a second task before each has one.
                started.wrappingAdd(1, ordering: .acquiringAndReleasing)
                while started.load(ordering: .acquiring) <= helpers { sched_yield() }
                body()
            }
        }
    }

    private func claim(_ body: () -> Void) -> Bool {
        guard isBusy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else {
            return false
        }
        body()
        isBusy.store(false, ordering: .releasing)
        return true
    }

    private func loop(_ tasks: Int, helpers count: Int, _ body: @Sendable (Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            self.tasks = tasks
            self.body = body
            next.store(0, ordering: .relaxed)
            for helper in helpers[..<count] { helper.call() }
            takeTasks()
            for helper in helpers[..<count] { helper.dismiss() }
            self.body = nil
        }
    }

    /// Starts what is missing of `count` helpers; gives how many of them there are.
    private func start(_ count: Int) -> Int {
        if helpers.isEmpty { Self.saveMemory() }
        while helpers.count < count, !isShort {
            guard let refusal = startHelper() else { continue }
            isShort = true
            say(
                "note: \(count + 1) threads asked for, \(helpers.count + 1) started (\(refusal)); "
                    + "give --threads \(helpers.count + 1)\n")
        }
        return min(count, helpers.count)
    }

    /// Starts one helper more; says why if it does not.
    private func startHelper() -> String? {
        guard helpers.count + 1 < Workers.most else { return "more would only wait for each other" }
        // One that has no processor of its own would keep others from theirs.
        let helper = Helper(spins: helpers.count + 1 < ProcessInfo.processInfo.activeProcessorCount)
        let reason = Self.hasReserve ? helper.start(in: self) : ENOMEM
        guard reason == 0 else { return String(cString: strerror(reason)) }
        helpers.append(helper)
        return nil
    }

    /// Whether this process may have so much memory and no more (`ulimit -v`).
    private static let isLimited = {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
        return limit.rlim_cur != rlim_t.max
    }()

    /// Has all threads allocate from one arena, where memory is limited: each would reserve 64 MiB for its own, and leave
    /// none for the work.
    private static func saveMemory() {
        // The module of the C library leaves it out. -8 is M_ARENA_MAX.
        typealias SetOption = @convention(c) (Int32, Int32) -> Int32
        guard isLimited, let function = dlsym(nil, "mallopt") else { return }
        _ = unsafeBitCast(function, to: SetOption.self)(-8, 1)
    }

    /// Whether a thread more leaves memory for the work.
    private static var hasReserve: Bool {
        guard isLimited else { return true }
        let reserve = 64 << 20
        guard let start = mmap(nil, reserve, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), start != MAP_FAILED else {
            return false
        }
        munmap(start, reserve)
        return true
    }

    /// FileHandle would trap where standard error is closed.
    private func say(_ line: String) {
        let bytes = Array(line.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
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
    /// The spins before sleep.
    private let patience: Int

    /// A thread that spins for a while before it sleeps, or hardly.
    init(spins: Bool) { patience = spins ? 20_000 : 64 }

    /// Its stack: kernels keep what is large elsewhere.
    private static let stackSize = 1 << 20

    /// Starts the thread, for as long as the process lives; gives the number of the error, 0 if there is none.
    func start(in pool: ThreadPool) -> Int32 {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, Self.stackSize)
        let work = Unmanaged.passRetained(Work(helper: self, pool: pool))
        var thread = pthread_t()
        let reason = pthread_create(
            &thread, &attributes,
            { argument in
                // The thread holds on to its work, and never ends.
                if let argument { Unmanaged<Work>.fromOpaque(argument).takeUnretainedValue().run() }
                return nil
            }, work.toOpaque())
        if reason != 0 { work.release() }
        return reason
    }

    private final class Work {
        private let helper: Helper
        private let pool: ThreadPool

        init(helper: Helper, pool: ThreadPool) { (self.helper, self.pool) = (helper, pool) }

        func run() -> Never {
            name("plumbline")
            while true {
                helper.awaitCall()
                pool.takeTasks()
                helper.state.store(.idle, ordering: .releasing)
            }
        }

        /// Names this thread, for those who look at the process. Foundation would allocate for it, in every thread.
        private func name(_ text: String) {
            let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
            guard file >= 0 else { return }
            _ = write(file, text, text.utf8.count)
            close(file)
        }
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
            guard spins > patience else { continue }
            spins = 0
            if state.compareExchange(expected: .idle, desired: .asleep, ordering: .relaxed).exchanged { alarm.wait() }
        }
    }

    /// Lets other threads run now and then, should there be more of them than cores.
    private func pause(_ spins: inout Int) {
        spins += 1
        if spins % 256 == 0 { sched_yield() }
    }
}
