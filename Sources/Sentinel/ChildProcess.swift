import CSentinel
import Foundation
import Synchronization

/// A forked process that carries out commands of this one: code in it may crash, hang, or end its process.
///
/// It shares the memory of every ``GuardedBuffer`` that was there when it began, and has a copy of all else but files. It
/// has one thread, and no use of the threads of this process. It ends with the thread that made it, whatever ends that;
/// what foreign code leaves running in it is ended as well.
public final class ChildProcess: Sendable {
    /// How a command ended. After any end but ``returned(_:)`` there is no process any more.
    public enum End: Sendable {
        /// With an answer.
        case returned(Int32)
        /// By a signal, in words.
        case crashed(String)
        /// The process ended itself with that code.
        case exited(Int32)
        /// It took longer than it may, and was killed.
        case hung
        /// Foreign code answered in the place of the body, and was killed.
        case forged
    }

    /// What came of a command.
    public struct Outcome: Sendable {
        /// How it ended.
        public let end: End
        /// The last line that it printed; empty if none.
        public let lastWords: String
        /// The processes that it left behind, which were ended.
        public let strays: Int
    }

    private let child: sentinel_child
    private let task: String
    private let isRunning = Atomic<Bool>(true)

    /// One command is carried out at a time: all children print to one file, and note their faults in one place.
    private static let turn = Mutex<Void>(())

    /// Starts a process that runs `body` for each command; `task` says what it is there for.
    ///
    /// - Throws: ``HarnessError`` where the system has no room for it.
    public init(_ task: String, _ body: @escaping (Int32) -> Int32) throws(HarnessError) {
        let context = Context(body)
        // The child has a copy of the context, and the parent needs it no longer than until the fork.
        let (started, reason) = withExtendedLifetime(context) {
            Self.turn.withLock { _ in
                var child = sentinel_child()
                let status = sentinel_start(
                    { context, command in
                        context.map { Unmanaged<Context>.fromOpaque($0).takeUnretainedValue().body(command) } ?? 0
                    }, Unmanaged.passUnretained(context).toOpaque(), &child)
                return (status == 0 ? child : nil, errno)
            }
        }
        guard let started else { throw HarnessError(refused: "a process for \(task)", reason) }
        (child, self.task) = (started, task)
    }

    deinit { sentinel_end(child, isRunning.load(ordering: .relaxed) ? 1 : 0) }

    /// Has the process carry out `command`, for up to that many seconds.
    ///
    /// - Precondition: every command before it returned.
    /// - Throws: ``HarnessError`` when the process ended while no foreign code ran in it, or was killed from outside.
    public func run(_ command: Int32, within seconds: Double) throws(HarnessError) -> Outcome {
        let (ended, lastWords, end) = Self.turn.withLock { _ in
            let ended = sentinel_command(child, command, seconds)
            // What a signal's words say of its address is of the last child.
            return (ended, Self.lastWords(), Self.end(ended))
        }
        guard ended.end != sentinel_returned else {
            return Outcome(end: end, lastWords: lastWords, strays: Int(ended.left))
        }
        isRunning.store(false, ordering: .relaxed)
        guard ended.is_foreign != 0 else { throw error(end, lastWords) }
        return Outcome(end: end, lastWords: lastWords, strays: Int(ended.left))
    }

    /// Runs foreign code in a child: what ends the process meanwhile is that code's doing. It does nothing in any other
    /// process.
    public static func inside<R: ~Copyable>(_ body: () -> R) -> R {
        sentinel_enter()
        defer { sentinel_leave() }
        return body()
    }

    /// From now on what ends this process, if it is a child, is a kernel's doing, but for what comes from outside: the kernel
    /// may have spoilt memory that only code of ours uses.
    public static func taint() { sentinel_taint() }

    /// How many processes may wait at a time: each takes a file descriptor, of which they leave most to others.
    public static var most: Int { max(1, Int(min(rlimit.soft(RLIMIT_NOFILE) / 4, 64))) }

    private static func lastWords() -> String {
        let text = String(unsafeUninitializedCapacity: 400) { sentinel_output($0.baseAddress, $0.count) }
        return text.split(whereSeparator: \.isNewline).last.map(String.init) ?? ""
    }

    private static func end(_ ended: sentinel_outcome) -> End {
        switch ended.end {
        case sentinel_returned: .returned(ended.detail)
        case sentinel_crashed: .crashed(words(for: ended.detail))
        case sentinel_exited: .exited(ended.detail)
        case sentinel_forged: .forged
        default: .hung
        }
    }

    private static func words(for signal: Int32) -> String {
        switch signal {
        case SIGSEGV, SIGBUS:
            let address = sentinel_fault()
            return address < 4096 ? "a null pointer" : "memory that is not there, at 0x\(String(address, radix: 16))"
        case SIGFPE: return "an arithmetic trap (SIGFPE)"
        case SIGABRT: return "an abort (SIGABRT)"
        case SIGILL, SIGTRAP: return "a trap (SIGILL)"
        case SIGKILL: return "SIGKILL"
        default: return "signal \(signal)"
        }
    }

    private func error(_ end: End, _ lastWords: String) -> HarnessError {
        let (what, remedy) =
            switch end {
            case .crashed("SIGKILL"):
                ("was killed from outside (SIGKILL)", "see whether memory is short, and try again")
            case .crashed(let reason):
                ("was ended by \(reason), not by a kernel", "see the limits that ulimit -a shows, and try again")
            case .exited(let code):
                ("ended with exit code \(code), not by a kernel", "see the limits that ulimit -a shows, and try again")
            case .hung, .forged, .returned: ("was not run in time", "try again when the machine is less busy")
            }
        let words = lastWords.isEmpty ? "" : ", saying '\(lastWords)'"
        return HarnessError("the process for \(task) \(what)\(words)", remedy: remedy)
    }

    private final class Context {
        let body: (Int32) -> Int32

        init(_ body: @escaping (Int32) -> Int32) { self.body = body }
    }
}
