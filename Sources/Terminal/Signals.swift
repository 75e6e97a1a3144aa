import Foundation
import Synchronization

/// How a command meets signals, from its start.
enum Signals {
    /// Sets what every command does with signals that have nothing to do with its work.
    static func prepare() {
        signal(SIGPIPE, SIG_DFL)
        // A limit on the size of files is an error to report, like a full disk.
        signal(SIGXFSZ, SIG_IGN)
        // The runtime prints a stack trace, and goes on.
        replace(SIGQUIT, SIG_DFL)
        // Whoever starts a program from a thread of a pool may hand on that thread's mask: it could not be ended.
        var asked = sigset_t()
        sigemptyset(&asked)
        for number in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] { sigaddset(&asked, number) }
        pthread_sigmask(SIG_UNBLOCK, &asked, nil)
    }

    /// Has `handler` meet a signal, unless whoever began this process had it ignored: `nohup` and a shell's `&` do.
    static func replace(_ number: Int32, _ handler: sig_t?) {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0, !isIgnored(action) else { return }
        signal(number, handler)
    }

    private static func isIgnored(_ action: sigaction) -> Bool {
        unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}

private let received = Atomic<Int32>(0)

/// Signals that ask the command to end: Ctrl-C, and what `kill` and a closing terminal send.
///
/// From ``watch()`` on the first only sets ``signal``, so that the work under way can be finished and saved; a second
/// ends the process at once.
public enum Interruption {
    /// The signal that arrived, if any.
    public static var signal: Int32? {
        let number = received.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    /// Begins to wait for signals.
    public static func watch() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            Signals.replace(number) { arrived in
                received.store(arrived, ordering: .relaxed)
                Foundation.signal(arrived, SIG_DFL)
            }
        }
    }
}
