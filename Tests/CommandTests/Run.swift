import Foundation

/// The root of the checkout.
let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

/// What a run of a binary printed and how it ended.
struct Run {
    let output: String
    let errors: String
    let code: Int32

    /// Runs the binary `name`, built beside the tests, in `folder`; sends it a signal after some seconds, or limits the
    /// size of its files to so many blocks of 512 bytes, where asked.
    init(
        _ name: String, _ arguments: [String], in folder: String = root, environment: [String: String] = [:],
        signal: Int32? = nil, after seconds: Double = 0, fileSizeLimit: Int? = nil
    ) throws {
        let process = Process()
        process.executableURL = Run.binaries.appendingPathComponent(name)
        process.arguments = arguments
        if let fileSizeLimit {
            let binary = Run.binaries.appendingPathComponent(name).path
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", "ulimit -f \(fileSizeLimit); exec \"$0\" \"$@\"", binary] + arguments
        }
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // Files, not pipes: a binary that prints much must not wait for a reader.
        let scratch = NSTemporaryDirectory() + "plumbline-run-" + UUID().uuidString
        let files = [scratch + ".out", scratch + ".err"]
        for file in files { try Data().write(to: URL(fileURLWithPath: file)) }
        defer { for file in files { try? FileManager.default.removeItem(atPath: file) } }
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

    private static let binaries: URL = {
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
