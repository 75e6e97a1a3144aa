import CSentinel

/// What this process and this thread keep between calls, at a moment: signal handlers and mask, timers, working folder,
/// umask, limits. A kernel must leave all of it as it was.
public final class ProcessState: Sendable {
    /// What is another than it was.
    public struct Changes: Sendable {
        /// Bits of `sentinel_kept`.
        public let kinds: UInt32
        /// The signals whose handlers changed: bit 0 is signal 1.
        public let handlers: UInt64

        /// Changes of those bits.
        public init(kinds: UInt32, handlers: UInt64) { (self.kinds, self.handlers) = (kinds, handlers) }

        /// What to say of a kernel that left them.
        public var notes: [String] {
            [
                (sentinel_handlers, "left another handler of \(signals)"), (sentinel_mask, "changed the signal mask"),
                (sentinel_timers, "left a timer running, as alarm does"),
                (sentinel_folder, "changed the working directory"), (sentinel_umask, "changed the umask"),
                (sentinel_limits, "changed a resource limit"),
                (sentinel_streams, "closed or replaced descriptors that are not its own"),
            ].filter { kinds & UInt32($0.0.rawValue) != 0 }.map { "the kernel \($0.1)" }
        }

        private var signals: String {
            let numbers = (1...64).filter { handlers >> UInt64($0 - 1) & 1 != 0 }
            let names = numbers.prefix(3).map { Self.names[$0] ?? "signal \($0)" }
            return names.joined(separator: ", ") + (numbers.count > 3 ? " and \(numbers.count - 3) more" : "")
        }

        private static let names: [Int: String] = [
            1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
            10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 17: "SIGCHLD",
        ]
    }

    /// The unsafe part: written once, and read by one thread at a time.
    private nonisolated(unsafe) let state: OpaquePointer?

    /// The state now.
    public init() { state = sentinel_keep() }

    deinit { sentinel_forget(state) }

    /// What is another than it was; it is put back where that can be done.
    public func changes() -> Changes {
        var handlers: UInt64 = 0
        guard let state else { return Changes(kinds: 0, handlers: 0) }
        return Changes(kinds: sentinel_changes(state, &handlers), handlers: handlers)
    }
}
