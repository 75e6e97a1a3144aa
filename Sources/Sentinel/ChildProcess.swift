import CSentinel
import Foundation
import Synchronization

/// A forked process that carries out commands of this one: code in it may crash, hang, or end its process.
///
/// It shares the memory of every ``GuardedBuffer`` that was there when it began, and has a copy of all else. It has one
/// thread, and no use of the threads of this process.
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
    }

    private let child: sentinel_child
    private let isRunning = Atomic<Bool>(true)
    /// The file, without a name, of what it prints: a pipe could fill up.
    private let output: Int32

    /// Starts a process that runs `body` for each command.
    ///
    /// - Precondition: the system has room for a process and a file.
    public init(_ body: @escaping (Int32) -> Int32) {
        guard let file = tmpfile() else {
            preconditionFailure("no temporary file: \(String(cString: strerror(errno)))")
        }
        let output = dup(fileno(file))
        fclose(file)
        let context = Context(body)
        var child = sentinel_child()
        // The child has a copy of the context, and the parent needs it no longer than until the fork.
        let started = withExtendedLifetime(context) {
            sentinel_start(
                { context, command in
                    context.map { Unmanaged<Context>.fromOpaque($0).takeUnretainedValue().body(command) } ?? 0
                }, Unmanaged.passUnretained(context).toOpaque(), output, &child)
        }
        (self.child, self.output) = (child, output)
        precondition(started == 0, "no child process: \(String(cString: strerror(errno)))")
    }

    deinit {
        sentinel_end(child, isRunning.load(ordering: .relaxed) ? 1 : 0)
        close(output)
    }

    /// Has the process carry out `command`, for up to that many seconds.
    ///
    /// - Precondition: every command before it returned.
    public func run(_ command: Int32, within seconds: Double) -> End {
        var detail: Int32 = 0
        let end = sentinel_command(child, command, seconds, &detail)
        if end != sentinel_returned { isRunning.store(false, ordering: .relaxed) }
        return switch end {
        case sentinel_returned: .returned(detail)
        case sentinel_crashed: .crashed(Self.words(for: detail))
        case sentinel_exited: .exited(detail)
        default: .hung
        }
    }

    /// The last line that it printed; empty if none.
    public var lastWords: String {
        let size = lseek(output, 0, SEEK_END)
        var bytes = [UInt8](repeating: 0, count: Int(min(size, 400)))
        let count = bytes.withUnsafeMutableBytes { pread(output, $0.baseAddress, $0.count, size - off_t($0.count)) }
        let text = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
        return text.split(whereSeparator: \.isNewline).last.map(String.init) ?? ""
    }

    private static func words(for signal: Int32) -> String {
        switch signal {
        case SIGSEGV, SIGBUS:
            let address = sentinel_fault()
            return address < 4096 ? "a null pointer" : "memory that is not there, at 0x\(String(address, radix: 16))"
        case SIGFPE: return "an arithmetic trap (SIGFPE)"
        case SIGABRT: return "an abort (SIGABRT)"
        case SIGILL, SIGTRAP: return "a trap (SIGILL)"
        default: return "signal \(signal)"
        }
    }

    private final class Context {
        let body: (Int32) -> Int32

        init(_ body: @escaping (Int32) -> Int32) { self.body = body }
    }
}
