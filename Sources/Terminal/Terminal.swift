import Foundation
import Platform

/// The two streams of a command: results on standard output, everything else on standard error.
public enum Terminal {
    /// What a command or one of its modes does with the words after its name.
    public typealias Body = (_ words: [String]) throws -> ExitCode

    /// Writes a line of results.
    public static func print(_ text: String) { StandardStreams.output(text + "\n") }

    /// Writes text as it is, with no new line: results that arrive bit by bit.
    public static func stream(_ text: String) { StandardStreams.output(text) }

    /// Writes a line for the person at the terminal.
    public static func note(_ text: String) { StandardStreams.error(text + "\n") }

    /// Runs a command, or the mode that its first word names, and exits with its code; an error becomes one line and
    /// code 2.
    ///
    /// A reader that closes the pipe early, such as `head`, ends the command quietly.
    public static func run(
        _ name: String, modes: KeyValuePairs<String, Body> = [:], _ body: Body
    ) -> Never {
        StandardStreams.open()
        Signals.prepare()
        do {
            let words = try words()
            exit(name, try mode(of: words, name, modes).map { try $0(Array(words.dropFirst())) } ?? body(words))
        } catch {
            note("\(name): \(error)")
            exit(name, .unusable)
        }
    }

    /// Ends the process; results that could not be shown are no success.
    static func exit(_ name: String, _ code: ExitCode) -> Never {
        guard let failure = StandardStreams.failure else { Foundation.exit(code.number) }
        note("\(name): standard output cannot be written (\(failure)); the results could not be shown")
        Foundation.exit(ExitCode.unusable.number)
    }

    /// The words after the program's name.
    private static func words() throws(UsageError) -> [String] {
        var words: [String] = []
        for index in 1..<max(Int(CommandLine.argc), 1) {
            guard let bytes = CommandLine.unsafeArgv[index] else { break }
            guard let word = String(validatingCString: bytes) else {
                throw UsageError(
                    "word \(index), '\(Formatting.printable(String(cString: bytes)))', is not valid UTF-8; write it in UTF-8"
                )
            }
            words.append(word)
        }
        return words
    }

    private static func mode(
        of words: [String], _ name: String, _ modes: KeyValuePairs<String, Body>
    ) throws(UsageError) -> Body? {
        guard let word = words.first, !modes.isEmpty, !word.hasPrefix("-") else { return nil }
        if let mode = modes.first(where: { $0.key == word }) { return mode.value }
        throw UsageError("there is no mode '\(word)'\(suggestion(word, among: modes.map(\.key))); see \(name) --help")
    }

    /// Whether standard output is a terminal.
    public static var outputIsTerminal: Bool { isInteractive(1) }

    /// Whether the stream is a terminal that understands control sequences.
    static func isInteractive(_ descriptor: Int32) -> Bool {
        isatty(descriptor) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }

    /// The columns of the terminal at the stream; 80 where it does not say.
    static func columns(_ descriptor: Int32) -> Int {
        var size = winsize()
        return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }
}
