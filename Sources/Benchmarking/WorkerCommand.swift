import ForeignKernels
import Foundation
import Platform

/// How to start a worker.
public struct WorkerCommand: Sendable {
    /// Where the worker's code is.
    enum Code: Sendable {
        /// A program of its own.
        case program(executable: String, arguments: [String], environment: [String: String])
        /// This process.
        case here(@Sendable () -> WorkerService)
    }

    /// The name in reports, such as `fast` or `torch`.
    public let name: String
    let code: Code
    /// What to do when it cannot be started.
    let remedy: String

    /// Why it is not to be timed on a call: the reference would take too long.
    func refusal(of workload: Workload, threads: Int) -> String? {
        guard name == "reference" else { return nil }
        guard threads == 1 else { return "it has one thread" }
        let expected = Double(workload.cost.operations) / 1.5e9
        return expected > 1.5 ? "left out: about \(Formatting.seconds(expected)) a call" : nil
    }

    /// Whether the other is of the same build.
    func sharesCode(with other: WorkerCommand) -> Bool {
        switch (code, other.code) {
        case (.program(let a, _, _), .program(let b, _, _)): a == b
        case (.here, .here): true
        case (.program, .here), (.here, .program): false
        }
    }

    /// A worker of this package: the binary at `bench`, or this one, timing the set of kernels.
    public static func kernels(_ selection: String, name: String? = nil, bench: String? = nil) -> WorkerCommand {
        WorkerCommand(
            name: name ?? ForeignLibrary.name(of: selection),
            code: .program(
                executable: bench ?? Bundle.main.executablePath ?? CommandLine.arguments[0],
                arguments: ["worker", "--kernels", selection], environment: [:]),
            remedy: "that build of bench may be older than its worker mode; choose a later commit")
    }

    /// A worker in this process, for kernels that no other program has. A crash of theirs is one of the conductor.
    public static func here(_ name: String, _ service: @escaping @Sendable () -> WorkerService) -> WorkerCommand {
        WorkerCommand(name: name, code: .here(service), remedy: "it runs in this process")
    }

    /// The way to a worker that was just started.
    func start() throws(WorkerError) -> any WorkerChannel {
        switch code {
        case .program(let executable, let arguments, let environment):
            try ProcessChannel(self, executable, arguments, environment)
        case .here(let service): DirectChannel(self, service())
        }
    }
}

/// The way to a worker in this process.
private final class DirectChannel: WorkerChannel {
    private let command: WorkerCommand
    private let service: WorkerService

    init(_ command: WorkerCommand, _ service: WorkerService) {
        self.command = command
        self.service = service
    }

    func hello() -> WorkerAnswer { service.hello }

    func ask(_ request: WorkerRequest) throws(WorkerError) -> WorkerAnswer {
        do { return try service.answer(request) } catch { throw failure("\(error)") }
    }

    func failure(_ problem: String) -> WorkerError { WorkerError(command, problem) }
}
