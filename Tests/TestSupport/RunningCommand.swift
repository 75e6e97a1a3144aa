import Foundation
import Platform

/// A binary that is under way, to be disturbed. It, and whatever it starts, has its temporary files in a folder of its own.
public final class RunningCommand {
    /// The folder for temporary files, which nobody else uses.
    public let temporary: TemporaryFolder
    private var program: ChildProgram

    /// Starts the binary `name` in `folder`.
    public init(
        _ name: String, _ arguments: [String], in folder: String = packageRoot, environment: [String: String] = [:]
    ) throws {
        temporary = try TemporaryFolder()
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(nothing) }
        // Foundation's Process would leave it the mask of this thread, in which signals are blocked.
        program = try ChildProgram(
            [Run.binaries.appendingPathComponent(name).path] + arguments,
            environment: environment.merging(["TMPDIR": temporary.path + "/"]) { $1 }, in: folder,
            .init(input: nothing, output: nothing, errors: nothing), death: .sudden)
    }

    /// Sends it a signal, and says how it ended.
    public func end(by signal: Int32) -> ChildProgram.End? {
        kill(program.process, signal)
        return program.wait(within: 60)
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
