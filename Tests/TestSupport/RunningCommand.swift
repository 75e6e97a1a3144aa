import Foundation

/// A binary that is under way, to be disturbed. It, and whatever it starts, has its temporary files in a folder of its own.
public final class RunningCommand {
    /// The folder for temporary files, which nobody else uses.
    public let temporary: TemporaryFolder
    private let process = Process()

    /// Starts the binary `name` in `folder`.
    public init(
        _ name: String, _ arguments: [String], in folder: String = packageRoot, environment: [String: String] = [:]
    ) throws {
        temporary = try TemporaryFolder()
        process.executableURL = Run.binaries.appendingPathComponent(name)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            .merging(["TMPDIR": temporary.path + "/"]) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    /// Sends it a signal and waits for its end; gives its exit code, or the negative number of the signal that ended it.
    public func end(by signal: Int32) -> Int32 {
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    /// The processes of it that are alive: those with its folder for temporary files in their environment.
    public var processes: [Int] {
        let mark = Data("TMPDIR=\(temporary.path)/\0".utf8)
        return ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap(Int.init).filter {
            FileManager.default.contents(atPath: "/proc/\($0)/environ")?.range(of: mark) != nil
        }
    }

    /// Waits until `condition` holds, for up to 60 seconds; false if it never does.
    public static func wait(until condition: () -> Bool) -> Bool {
        for _ in 0..<6000 where !condition() { usleep(10_000) }
        return condition()
    }
}
