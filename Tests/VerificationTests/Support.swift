import Foundation
import KernelCatalog
import Kernels
import Reporting
import Verification

/// The root of the checkout.
let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

/// A folder that goes when the test ends.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "plumbline-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A copy of a committed fixture, such as `tiny.h5`.
    func copy(of fixture: String) throws -> String {
        let copy = path + "/" + (fixture as NSString).lastPathComponent
        try FileManager.default.copyItem(atPath: "\(root)/fixtures/\(fixture)", toPath: copy)
        return copy
    }
}

/// Verifies the set `name`, with some kernels replaced, by the committed fixtures or those given.
func verify(
    _ name: String = "fast", replacing replacements: [Implementation<Float>] = [], threads: Int = 2,
    fixtures: [String] = Verifier.committedFixtures(in: root), only: Set<String> = [],
    modes: Set<ComparisonRow.Mode> = Set(ComparisonRow.Mode.allCases)
) throws -> VerificationOutcome {
    var kernels = try KernelCatalog.set(named: name, workers: Workers(count: threads))
    for replacement in replacements { kernels.use(replacement) }
    return try Verifier(
        VerificationRequest(kernels: kernels, fixtures: fixtures, operations: only, modes: modes)
    ).run()
}

/// What a run of a binary printed and how it ended.
struct Run {
    let output: String
    let errors: String
    let code: Int32

    /// Runs the binary `name`, built beside the tests, in `folder`.
    init(_ name: String, _ arguments: [String], in folder: String = root, environment: [String: String] = [:]) throws {
        let process = Process()
        process.executableURL = Run.binaries.appendingPathComponent(name)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // Files, not pipes: a binary that prints much must not wait for a reader.
        let scratch = NSTemporaryDirectory() + "plumbline-run-" + UUID().uuidString
        let files = [scratch + ".out", scratch + ".err"]
        for file in files { FileManager.default.createFile(atPath: file, contents: nil) }
        defer { for file in files { try? FileManager.default.removeItem(atPath: file) } }
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: files[0]))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: files[1]))
        try process.run()
        process.waitUntilExit()
        output = try String(contentsOfFile: files[0], encoding: .utf8)
        errors = try String(contentsOfFile: files[1], encoding: .utf8)
        code = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    private static let binaries: URL = {
        // The test runner's arguments name the bundle, which lies beside the binaries.
        let bundle = CommandLine.arguments.first { $0.contains(".xctest") }
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
