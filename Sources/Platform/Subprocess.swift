import Foundation

/// Programs that are run to their end.
public enum Subprocess {
    /// What a program printed, and how it ended.
    public struct Outcome: Sendable {
        /// How it ended.
        public let end: ChildProgram.End
        /// What it wrote to its streams.
        public let output, errors: String
    }

    /// Runs `words` with nothing to read.
    ///
    /// - Throws: ``ChildProgramError`` when it cannot be started or has not ended within that many seconds,
    ///   ``FileWriteError`` when there is no room for what it prints.
    public static func run(
        _ words: [String], environment: [String: String] = [:], within seconds: Double = 600
    ) throws -> Outcome {
        let output = try UnnamedFile()
        let errors = try UnnamedFile()
        let end = try run(
            words, environment: environment, output: output.descriptor, errors: errors.descriptor,
            death: .gentle, within: seconds)
        return Outcome(end: end, output: output.text(), errors: errors.text())
    }

    /// Runs `words` in `folder`, with all that it prints in the file `log`.
    ///
    /// - Throws: ``ChildProgramError`` when it cannot be started or has not ended within that many seconds,
    ///   ``FileWriteError`` when the log cannot be written.
    public static func run(
        _ words: [String], environment: [String: String] = [:], log: String, in folder: String? = nil,
        death: ChildProgram.Death, within seconds: Double
    ) throws -> ChildProgram.End {
        let file = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw FileWriteError(errno: log) }
        defer { close(file) }
        return try run(
            words, environment: environment, in: folder, output: file, errors: file, death: death, within: seconds)
    }

    private static func run(
        _ words: [String], environment: [String: String] = [:], in folder: String? = nil,
        output: Int32, errors: Int32, death: ChildProgram.Death, within seconds: Double
    ) throws -> ChildProgram.End {
        let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(nothing) }
        var program = try ChildProgram(
            words, environment: environment, in: folder,
            .init(input: nothing, output: output, errors: errors), death: death)
        guard let end = program.wait(within: seconds) else {
            throw ChildProgramError(
                problem: "\(words.prefix(2).joined(separator: " ")) had not ended after \(Formatting.seconds(seconds))",
                remedy: "see whether it runs by itself")
        }
        return end
    }

    /// What a command prints to standard output, without blanks around it; nil if it cannot be run or fails.
    ///
    /// Its errors are not shown.
    public static func output(of words: [String]) -> String? {
        guard let outcome = try? run(words), outcome.end == .exited(0) else { return nil }
        return outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// What git prints for those words, for the checkout around the working directory; nil if it fails.
    public static func git(_ words: String...) -> String? { output(of: ["git"] + words) }
}
