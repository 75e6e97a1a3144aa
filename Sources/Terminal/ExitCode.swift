import Foundation

/// How a command ends.
public enum ExitCode: Int32, Sendable {
    /// All held.
    case held = 0
    /// Something did not hold.
    case didNotHold = 1
    /// Unusable input or flags.
    case unusable = 2
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
        do {
            exit(try body().rawValue)
        } catch {
            note("\(name): \(error)")
            exit(ExitCode.unusable.rawValue)
        }
    }

    /// Whether the stream is a terminal that understands control sequences.
    static func isInteractive(_ descriptor: Int32) -> Bool {
        isatty(descriptor) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }
}
