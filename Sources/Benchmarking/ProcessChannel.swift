import Foundation

/// The way to a worker in a process of its own: lines over its standard input and output.
final class ProcessChannel: WorkerChannel {
    private let command: WorkerCommand
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let errors: String
    private var pending = Data()
    private let encoder = JSONEncoder()
    private let decoder = JSONDecoder()

    /// Starts the program.
    ///
    /// - Throws: ``WorkerError`` when it cannot be started.
    init(
        _ command: WorkerCommand, _ executable: String, _ arguments: [String], _ environment: [String: String]
    ) throws(WorkerError) {
        self.command = command
        errors = NSTemporaryDirectory() + "plumbline-worker-\(UUID().uuidString).log"
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = input
        process.standardOutput = output
        _ = FileManager.default.createFile(atPath: errors, contents: nil)
        process.standardError = FileHandle(forWritingAtPath: errors)
        do {
            try process.run()
        } catch {
            throw WorkerError(command, "\(executable) cannot be started (\(error.localizedDescription))")
        }
    }

    deinit {
        // A worker ends when its input does; one that hangs in a call is terminated.
        try? input.fileHandleForWriting.close()
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
        unlink(errors)
    }

    func hello() throws(WorkerError) -> WorkerAnswer { try answer() }

    func ask(_ request: WorkerRequest) throws(WorkerError) -> WorkerAnswer {
        // Writing to a worker that has ended raises SIGPIPE, which would end this process.
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
    func failure(_ problem: String) -> WorkerError {
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
