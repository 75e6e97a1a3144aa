import Accuracy
import ForeignKernels
import Foundation
import Platform

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

/// How to start a worker.
public struct WorkerCommand: Sendable {
    /// The name in reports, such as `fast` or `torch`.
    public let name: String
    let executable: String
    let arguments: [String]
    let environment: [String: String]
    /// What to do when it cannot be started.
    let remedy: String

    /// Why it is not to be timed on a call: the reference would take too long.
    func refusal(of workload: Workload) -> String? {
        guard name == "reference" else { return nil }
        guard workload.task.threads == 1 else { return "it has one thread" }
        let expected = Double(workload.call.cost.operations) / 1.5e9
        return expected > 1.5 ? "left out: about \(Formatting.seconds(expected)) a call" : nil
    }

    /// A worker of this package: the binary at `bench`, or this one, timing the set of kernels.
    public static func kernels(_ selection: String, name: String? = nil, bench: String? = nil) -> WorkerCommand {
        WorkerCommand(
            name: name ?? ForeignLibrary.name(of: selection),
            executable: bench ?? Bundle.main.executablePath ?? CommandLine.arguments[0],
            arguments: ["worker", "--kernels", selection], environment: [:],
            remedy: "that build of bench may be older than its worker mode; choose a later commit")
    }
}

/// A live worker: the conductor's end of its pipe.
public final class WorkerProcess {
    /// How it was started.
    let command: WorkerCommand
    /// What it calls itself, such as `PyTorch 2.15.0`.
    private(set) var title = ""
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let errors: String
    private var pending = Data()
    private let encoder = JSONEncoder()
    private let decoder = JSONDecoder()

    /// Starts the worker and waits for its hello.
    ///
    /// - Throws: ``WorkerError`` when it cannot be started, ends, or speaks another version of the protocol.
    package init(_ command: WorkerCommand) throws(WorkerError) {
        self.command = command
        errors = NSTemporaryDirectory() + "plumbline-worker-\(UUID().uuidString).log"
        process.executableURL = URL(fileURLWithPath: command.executable)
        process.arguments = command.arguments
        process.environment = ProcessInfo.processInfo.environment.merging(command.environment) { $1 }
        process.standardInput = input
        process.standardOutput = output
        _ = FileManager.default.createFile(atPath: errors, contents: nil)
        process.standardError = FileHandle(forWritingAtPath: errors)
        do {
            try process.run()
        } catch {
            throw WorkerError(command, "\(command.executable) cannot be started (\(error.localizedDescription))")
        }
        guard case .hello(let version, let title) = try answer() else {
            throw failure("it did not say hello")
        }
        guard version == WorkerProtocol.version else {
            throw failure("it speaks version \(version) of the worker protocol, not \(WorkerProtocol.version)")
        }
        self.title = title
    }

    deinit {
        // The end of its input ends a worker; one that hangs is told.
        try? input.fileHandleForWriting.close()
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
        unlink(errors)
    }

    // MARK: - Requests

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
        guard case .timed(let seconds) = try ask(.time(calls: calls, slowdown: slowdown)) else {
            throw failure("it answered something else than a time")
        }
        return seconds
    }

    /// Makes one call from the start and writes the results to the file.
    func writeResults(to path: String) throws(WorkerError) {
        guard case .done = try ask(.write(path: path)) else { throw failure("it wrote no results") }
    }

    /// The seconds of the parts of a step.
    func step() throws(WorkerError) -> (forward: Double, backward: Double, update: Double, kernels: [String: Double]) {
        guard case .stepped(let forward, let backward, let update, let kernels) = try ask(.step) else {
            throw failure("it answered something else than a step's times")
        }
        return (forward, backward, update, kernels)
    }

    /// The most memory it has used, in bytes.
    func peakMemory() throws(WorkerError) -> Int {
        guard case .memory(let bytes) = try ask(.memory) else { throw failure("it did not say its memory") }
        return bytes
    }

    private func readiness(_ request: WorkerRequest) throws(WorkerError) -> Readiness {
        switch try ask(request) {
        case .ready(let implementation, let note): return .ready(implementation: implementation, note: note)
        case .unsupported(let reason): return .unsupported(reason: reason)
        default: throw failure("it answered something else than that it is ready")
        }
    }

    // MARK: - Lines

    private func ask(_ request: WorkerRequest) throws(WorkerError) -> WorkerAnswer {
        // A worker that has ended must not end the conductor.
        let handler = signal(SIGPIPE, SIG_IGN)
        defer { signal(SIGPIPE, handler) }
        do {
            try input.fileHandleForWriting.write(contentsOf: encoder.encode(request) + Data("\n".utf8))
        } catch {
            throw failure("it has ended")
        }
        return try answer()
    }

    private func answer() throws(WorkerError) -> WorkerAnswer {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = pending[..<end]
                pending = Data(pending[(end + 1)...])
                do {
                    return try decoder.decode(WorkerAnswer.self, from: line)
                } catch {
                    throw failure("it said '\(String(decoding: line.prefix(120), as: UTF8.self))'")
                }
            }
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { throw failure("it has ended") }
            pending.append(more)
        }
    }

    /// The error, with the last thing that the worker wrote to its standard error.
    private func failure(_ problem: String) -> WorkerError {
        if problem == "it has ended" { process.waitUntilExit() }
        let text = (try? String(contentsOfFile: errors, encoding: .utf8)) ?? ""
        let last = text.split(separator: "\n").last.map { " (\($0))" } ?? ""
        var problem = problem
        if !process.isRunning, process.terminationReason == .uncaughtSignal {
            problem += " by signal \(process.terminationStatus)"
        }
        return WorkerError(command, problem + last)
    }
}
