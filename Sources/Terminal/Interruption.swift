import Foundation
import Synchronization

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
            Foundation.signal(number) { arrived in
                received.store(arrived, ordering: .relaxed)
                Foundation.signal(arrived, SIG_DFL)
            }
        }
    }
}
