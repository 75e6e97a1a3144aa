import Foundation

/// How a command ends.
public enum ExitCode: Sendable {
    /// All held.
    case held
    /// Something did not hold.
    case didNotHold
    /// Unusable input or flags.
    case unusable
    /// Ended early by that signal, after what was under way had been saved.
    case stopped(by: Int32)

    /// The number; for signals that of a shell.
    var number: Int32 {
        switch self {
        case .held: 0
        case .didNotHold: 1
        case .unusable: 2
        case .stopped(let signal): 128 + signal
        }
    }
}

/// A mistake in the flags, or input that cannot be used: one line that says what, where and how to mend it.
public struct UsageError: Error, CustomStringConvertible, Sendable {
    public let description: String

    /// An error of that description.
    public init(_ description: String) { self.description = description }
}
