import Foundation

/// How a command ends.
public enum ExitCode: Int32, Sendable {
    /// All held.
    case held = 0
    /// Something did not hold.
    case didNotHold = 1
    /// Unusable input or flags.
    case unusable = 2
    /// Ended early by Ctrl-C, as a shell reports it.
    case interrupted = 130
    /// Ended early by `kill` or a closed terminal.
    case terminated = 143
}

/// A mistake in the flags, or input that cannot be used: one line that says what, where and how to mend it.
public struct UsageError: Error, CustomStringConvertible, Sendable {
    public let description: String

    /// An error of that description.
    public init(_ description: String) { self.description = description }
}

/// The two streams of a command: results on standard output, everything else on standard error.
public enum Terminal {
    /// Writes a line of results.
    public static func print(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    /// Writes a line for the person at the terminal.
    public static func note(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    /// Runs a command's body and exits with its code; an error becomes one line and code 2.
    ///
    /// A reader that closes the pipe early, such as `head`, ends the command quietly.
    public static func run(_ name: String, _ body: () throws -> ExitCode) -> Never {
        signal(SIGPIPE, SIG_DFL)
        // A limit on the size of files is an error to report, like a full disk.
        signal(SIGXFSZ, SIG_IGN)
        do {
            exit(try body().rawValue)
        } catch {
            note("\(name): \(error)")
            exit(ExitCode.unusable.rawValue)
        }
    }

    /// Writes text as it is, with no new line: results that arrive bit by bit.
    public static func stream(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }

    /// Whether standard output is a terminal.
    public static var outputIsTerminal: Bool { isInteractive(1) }

    /// Whether the stream is a terminal that understands control sequences.
    static func isInteractive(_ descriptor: Int32) -> Bool {
        isatty(descriptor) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }
}
