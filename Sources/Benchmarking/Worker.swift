/// A worker that failed, ended or cannot be started: what, and how to mend it.
public struct WorkerError: Error, CustomStringConvertible, Sendable {
    /// The worker's name.
    public let worker: String
    /// What went wrong.
    let problem: String
    private let remedy: String

    public var description: String { "the worker \(worker): \(problem); \(remedy)" }

    init(_ command: WorkerCommand, _ problem: String) {
        worker = command.name
        self.problem = problem
        remedy = command.remedy
    }
}

/// A way to a worker: requests go one way, answers the other.
protocol WorkerChannel: AnyObject {
    /// What the worker says first.
    func hello() throws(WorkerError) -> WorkerAnswer
    /// The answer to a request.
    func ask(_ request: WorkerRequest) throws(WorkerError) -> WorkerAnswer
    /// The error of that problem, with what the worker left to say of it.
    func failure(_ problem: String) -> WorkerError
}

/// A live worker, as the conductor sees it.
public final class Worker {
    /// How it was started.
    let command: WorkerCommand
    /// What it calls itself, such as `PyTorch 2.15.0`.
    let title: String
    private let channel: any WorkerChannel

    /// Starts the worker and waits for its hello.
    ///
    /// - Throws: ``WorkerError`` when it cannot be started, ends, or speaks another version of the protocol.
    package init(_ command: WorkerCommand) throws(WorkerError) {
        self.command = command
        channel = try command.start()
        guard case .hello(let version, let title) = try channel.hello() else {
            throw channel.failure("it did not say hello")
        }
        guard version == WorkerProtocol.version else {
            throw channel.failure("it speaks version \(version) of the worker protocol, not \(WorkerProtocol.version)")
        }
        self.title = title
    }

    /// Whether a worker is ready for what it was asked to prepare.
    package enum Readiness: Equatable {
        /// It is, with the implementation of that name, and perhaps something to say of it.
        case ready(implementation: String, note: String?)
        /// It has no such kernel or model.
        case unsupported(reason: String)
    }

    /// Makes the call ready.
    @discardableResult
    package func prepare(_ task: KernelTask) throws(WorkerError) -> Readiness { try readiness(.prepare(task: task)) }

    /// Makes the model ready.
    func prepare(_ task: StepTask) throws(WorkerError) -> Readiness { try readiness(.prepareStep(task: task)) }

    /// The seconds of one call, in a block of `calls`.
    func time(calls: Int, slowdown: Double = 0) throws(WorkerError) -> Double {
        guard case .timed(let seconds) = try channel.ask(.time(calls: calls, slowdown: slowdown)) else {
            throw channel.failure("it answered something else than a time")
        }
        return seconds
    }

    /// Makes one call from the start and writes the results to the file.
    func writeResults(to path: String) throws(WorkerError) {
        guard case .done = try channel.ask(.write(path: path)) else { throw channel.failure("it wrote no results") }
    }

    /// The seconds of the parts of a step.
    func step() throws(WorkerError) -> (forward: Double, backward: Double, update: Double, kernels: [String: Double]) {
        guard case .stepped(let forward, let backward, let update, let kernels) = try channel.ask(.step) else {
            throw channel.failure("it answered something else than a step's times")
        }
        return (forward, backward, update, kernels)
    }

    /// The most memory it has used, in bytes.
    func peakMemory() throws(WorkerError) -> Int {
        guard case .memory(let bytes) = try channel.ask(.memory) else {
            throw channel.failure("it did not say its memory")
        }
        return bytes
    }

    private func readiness(_ request: WorkerRequest) throws(WorkerError) -> Readiness {
        switch try channel.ask(request) {
        case .ready(let implementation, let note): return .ready(implementation: implementation, note: note)
        case .unsupported(let reason): return .unsupported(reason: reason)
        default: throw channel.failure("it answered something else than that it is ready")
        }
    }
}
