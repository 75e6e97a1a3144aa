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
    public static func during(_ body: () -> Void) throws(HarnessError) -> [CallIncident] { try log(body).incidents }

    /// What happened in the contained calls that `body` makes, and whether it makes any: what is not contained runs in this
    /// process.
    ///
    /// - Throws: as ``during(_:)``.
    public static func log(
        _ body: () -> Void
    ) throws(HarnessError) -> (incidents: [CallIncident], isContained: Bool) {
        let log = Log()
        Log.$current.withValue(log, operation: body)
        let content = log.content.withLock { $0 }
        if let failure = content.failure { throw failure }
        return (content.incidents, content.isContained)
    }

    /// Tells whoever asked to know of incidents that a call is contained.
    static func reportContained() { Log.current?.content.withLock { $0.isContained = true } }

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
        let content = Mutex<(incidents: [CallIncident], failure: HarnessError?, isContained: Bool)>(([], nil, false))
    }
}
