import Kernels
import Sentinel
import Synchronization

/// What a kernel did, besides computing, in a call that was contained.
public struct CallIncident: Sendable {
    /// The argument that it concerns, if it concerns one.
    public let argument: String?
    /// What it did, in words.
    public let note: String
    /// Whether the call never came back.
    public let isFatal: Bool

    /// What happened in the contained calls that `body` makes.
    ///
    /// - Throws: ``HarnessError`` when one of them could not be made, or failed by no fault of the kernel's: a call
    ///   itself cannot throw. Its results are NaN.
    public static func during(_ body: () -> Void) throws(HarnessError) -> [CallIncident] {
        let log = Log()
        Log.$current.withValue(log, operation: body)
        let (incidents, failure) = log.content.withLock { $0 }
        if let failure { throw failure }
        return incidents
    }

    /// Tells whoever asked to know of incidents.
    func report() { Log.current?.content.withLock { $0.incidents.append(self) } }

    /// Tells whoever asked to know that a call could not be made. Where nobody did, the process ends: results that nobody
    /// knows to be none must not be used.
    static func report(_ failure: HarnessError) {
        guard let log = Log.current else { failure.end() }
        log.content.withLock { $0.failure = $0.failure ?? failure }
    }

    private final class Log: Sendable {
        @TaskLocal static var current: Log?
        let content = Mutex<(incidents: [CallIncident], failure: HarnessError?)>(([], nil))
    }
}
