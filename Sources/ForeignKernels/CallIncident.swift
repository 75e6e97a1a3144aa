import Kernels
import Synchronization

/// What a kernel did, besides computing, in a call that was contained.
public struct CallIncident: Sendable {
    /// The argument that it concerns, if it concerns one.
    public let argument: String?
    /// What it did, in words.
    public let note: String
    /// Whether the call never came back.
    public let isFatal: Bool

    /// What to say of a kernel that left flush to zero on, or rounding otherwise.
    public static let floatingPoint = "the kernel left another floating-point environment: flush to zero, or rounding"

    /// What happened in the contained calls that `body` makes.
    public static func during(_ body: () -> Void) -> [CallIncident] {
        let log = Log()
        Log.$current.withValue(log, operation: body)
        return log.incidents.withLock { $0 }
    }

    /// Tells whoever asked to know of incidents.
    func report() { Log.current?.incidents.withLock { $0.append(self) } }

    private final class Log: Sendable {
        @TaskLocal static var current: Log?
        let incidents = Mutex<[CallIncident]>([])
    }
}
