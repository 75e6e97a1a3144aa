import Platform

/// A worker that failed, ended or cannot be started: what, and how to mend it.
public struct WorkerError: Error, CustomStringConvertible, Sendable {
    /// The worker's name.
    public let worker: String
    /// What went wrong.
    let problem: String
    private let remedy: String

    public var description: String { "the worker \(worker): \(problem); \(remedy)" }

    init(_ command: WorkerCommand, _ problem: String, remedy: String? = nil) {
        worker = command.name
        self.problem = problem
        self.remedy = remedy ?? command.remedy.atWork
    }
}

/// Why there is no answer from a worker: what it did.
struct ChannelFailure: Error {
    /// What it did, such as `ended with code 3`.
    let problem: String
    /// How to mend that, where it is not the worker's doing.
    let remedy: String?

    init(_ problem: String, remedy: String? = nil) { (self.problem, self.remedy) = (problem, remedy) }
}

/// A way to a worker: requests go one way, answers the other.
protocol WorkerChannel: AnyObject {
    /// What the worker says first.
    func hello(within seconds: Double) throws(ChannelFailure) -> WorkerAnswer
    /// The answer to a request.
    func ask(_ request: WorkerRequest, within seconds: Double) throws(ChannelFailure) -> WorkerAnswer
    /// The last line that the worker printed beside its answers; empty if none.
    var lastWords: String { get }
}

/// A live worker, as the conductor sees it.
public final class Worker {
    /// How it was started.
    let command: WorkerCommand
    /// What it calls itself, such as `PyTorch 2.15.0`.
    let title: String
    private let channel: any WorkerChannel
    /// The call that it is ready for, and the longest, in seconds, that one may take.
    private var ready: (task: KernelTask, call: Double)?
    /// The step that it is ready for.
    private var model: StepTask?

    /// Starts the worker and waits for its hello.
    ///
    /// - Throws: ``WorkerError`` when it cannot be started, ends, says nothing, or speaks another version of the protocol.
    package init(_ command: WorkerCommand) throws(WorkerError) {
        self.command = command
        do {
            channel = try command.start()
        } catch {
            throw WorkerError(command, error.problem, remedy: error.remedy ?? command.remedy.atStart)
        }
        let problem: String
        do {
            let hello = try channel.hello(within: Patience.hello + command.patience)
            switch hello {
            case .hello(WorkerProtocol.version, let title):
                self.title = title
                return
            case .hello(let version, _):
                problem = "speaks version \(version) of the worker protocol, not \(WorkerProtocol.version)"
            default: problem = "did not say hello"
            }
        } catch {
            problem = error.problem
        }
        throw WorkerError(
            command, "at its start it \(problem)\(Self.quoted(channel))", remedy: command.remedy.atStart)
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
    package func prepare(_ task: KernelTask) throws(WorkerError) -> Readiness {
        if ready?.task != task { ready = (task, Patience.call(operations: task.operations)) }
        return try readiness(.prepare(task: task), within: Patience.transfer(bytes: task.bytes))
    }

    /// Makes the model ready.
    func prepare(_ task: StepTask) throws(WorkerError) -> Readiness {
        model = task
        return try readiness(.prepareStep(task: task), within: Patience.model(of: task))
    }

    /// The seconds of one call, in a block of `calls`.
    func time(calls: Int, slowdown: Double = 0) throws(WorkerError) -> Double {
        let limit = Patience.calls(calls, each: ready?.call ?? 0, slowdown: slowdown)
        guard case .timed(let seconds) = try ask(.time(calls: calls, slowdown: slowdown), within: limit) else {
            throw failure("answered something else than a time")
        }
        if let (task, call) = ready { ready = (task, min(call, Patience.call(like: seconds))) }
        return seconds
    }

    /// Makes one call from the start and writes the results to the file.
    func writeResults(to path: String) throws(WorkerError) {
        let limit = Patience.transfer(bytes: ready?.task.bytes ?? 0, call: ready?.call ?? 0)
        guard case .done = try ask(.write(path: path), within: limit) else { throw failure("wrote no results") }
    }

    /// The seconds of the parts of a step.
    func step() throws(WorkerError) -> (forward: Double, backward: Double, update: Double, kernels: [String: Double]) {
        let limit = model.map(Patience.step) ?? Patience.question
        guard case .stepped(let forward, let backward, let update, let kernels) = try ask(.step, within: limit) else {
            throw failure("answered something else than a step's times")
        }
        return (forward, backward, update, kernels)
    }

    /// The most memory it has used, in bytes.
    func peakMemory() throws(WorkerError) -> Int {
        guard case .memory(let bytes) = try ask(.memory, within: Patience.question) else {
            throw failure("did not say its memory")
        }
        return bytes
    }

    private func readiness(_ request: WorkerRequest, within seconds: Double) throws(WorkerError) -> Readiness {
        switch try ask(request, within: seconds) {
        case .ready(let implementation, let note): return .ready(implementation: implementation, note: note)
        case .unsupported(let reason): return .unsupported(reason: Formatting.printable(reason))
        default: throw failure("answered something else than that it is ready")
        }
    }

    private func ask(_ request: WorkerRequest, within seconds: Double) throws(WorkerError) -> WorkerAnswer {
        do {
            return try channel.ask(request, within: seconds + command.patience)
        } catch {
            throw failure(error.problem, remedy: error.remedy)
        }
    }

    /// The error that the worker did that at what it is ready for, with the last thing that it said.
    private func failure(_ problem: String, remedy: String? = nil) -> WorkerError {
        let work = model == nil ? ready.map { "\($0.task.kernel)" } ?? "its work" : "a training step"
        return WorkerError(command, "in \(work) it \(problem)\(Self.quoted(channel))", remedy: remedy)
    }

    private static func quoted(_ channel: any WorkerChannel) -> String {
        channel.lastWords.isEmpty ? "" : ", saying '\(channel.lastWords)'"
    }
}
