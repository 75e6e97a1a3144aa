import Foundation

/// What a run of a binary printed and how it ended.
public struct Run {
    /// What it wrote to standard output and to standard error.
    public let output, errors: String
    /// Its exit code, or the negative number of the signal that ended it.
    public let code: Int32

    /// Runs the binary `name`, built beside the tests or at that absolute path, in `folder`; sends it a signal after some
    /// seconds, or runs it under limits, in words of a shell such as `ulimit -n 64`, where asked.
    public init(
        _ name: String, _ arguments: [String], in folder: String = packageRoot, environment: [String: String] = [:],
        signal: Int32? = nil, after seconds: Double = 0, limits: String? = nil
    ) throws {
        let process = Process()
        let binary = name.hasPrefix("/") ? name : Run.binaries.appendingPathComponent(name).path
        process.executableURL = URL(fileURLWithPath: binary)
        process.arguments = arguments
        if let limits {
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", "\(limits); exec \"$0\" \"$@\"", binary] + arguments
        }
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // Files, not pipes: a binary that prints much must not wait for a reader.
        let scratch = try TemporaryFolder()
        let files = [try scratch.write("out", ""), try scratch.write("err", "")]
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: files[0]))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: files[1]))
        try process.run()
        if let signal {
            Thread.sleep(forTimeInterval: seconds)
            kill(process.processIdentifier, signal)
        }
        process.waitUntilExit()
        output = try String(contentsOfFile: files[0], encoding: .utf8)
        errors = try String(contentsOfFile: files[1], encoding: .utf8)
        code = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    /// The folder of the binaries.
    public static let binaries: URL = {
        // The test runner's arguments name the bundle, which lies beside the binaries.
        let bundle =
            CommandLine.arguments.first { $0.contains(".xctest") }
            ?? ProcessInfo.processInfo.arguments[0]
        var folder = URL(fileURLWithPath: bundle)
        while folder.path != "/",
            !FileManager.default.fileExists(atPath: folder.appendingPathComponent("verify").path)
        {
            folder.deleteLastPathComponent()
        }
        return folder
    }()
}
