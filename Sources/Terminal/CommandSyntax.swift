import Platform

/// A flag that a command takes.
public struct Flag: Sendable {
    /// How many values follow it.
    public enum Arity: Sendable {
        /// None: it is there or not.
        case none
        /// One.
        case one
        /// One or more, up to the next flag; the flag may be repeated.
        case many
    }

    let name: String
    let placeholder: String
    let arity: Arity
    let help: String
    /// Whether an empty text is a value: of most flags it is a variable that was not set.
    let mayBeEmpty: Bool

    /// A flag such as `--threads N`.
    public init(
        _ name: String, _ placeholder: String = "", _ arity: Arity = .one, mayBeEmpty: Bool = false, help: String
    ) {
        self.mayBeEmpty = mayBeEmpty
        self.name = name
        self.placeholder = placeholder
        self.arity = placeholder.isEmpty ? .none : arity
        self.help = help
    }
}

/// What a command takes and says about itself.
public struct CommandSyntax: Sendable {
    let name: String
    let operands: [String]
    let summary: String
    let flags: [Flag]
    let examples: [(command: String, meaning: String)]
    let exitCodes: String
    let version: String

    /// The syntax of the command `name`, which takes just those `operands`, words that belong to no flag; `--help` and
    /// `--version` come by themselves.
    public init(
        _ name: String, operands: [String] = [], summary: String, flags: [Flag],
        examples: [(command: String, meaning: String)],
        exitCodes: String = "0 all held, 1 something did not hold, 2 unusable input or flags.",
        version: String = plumblineVersion
    ) {
        self.name = name
        self.operands = operands
        self.summary = summary
        self.flags =
            flags + [
                Flag("--help", help: "Show this and exit."), Flag("--version", help: "Show the version and exit."),
            ]
        self.examples = examples
        self.exitCodes = exitCodes
        self.version = version
    }

    /// Reads the words of a command line, the program's name left off. Answers `--help` and `--version` and exits.
    ///
    /// - Throws: ``UsageError`` for an unknown flag, a missing value, or a word that belongs to no flag.
    public func parse(_ words: [String]) throws(UsageError) -> CommandArguments {
        var values: [String: [String]] = [:]
        var given: [String] = []
        var index = 0
        while index < words.count {
            let parts = words[index].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            index += 1
            guard name.hasPrefix("-") else {
                given.append(words[index - 1])
                if given.count <= operands.count { continue }
                throw UsageError("'\(name)' belongs to no flag; see \(self.name) --help")
            }
            guard let flag = flags.first(where: { $0.name == name || ($0.name == "--help" && name == "-h") }) else {
                throw UsageError(
                    "there is no flag \(name)\(suggestion(name, among: flags.map(\.name))); see \(self.name) --help")
            }
            var found: [String] = parts.count == 2 ? [String(parts[1])] : []
            switch flag.arity {
            case .none:
                guard found.isEmpty else { throw UsageError("\(flag.name) takes no value") }
            case .one, .many:
                while index < words.count, !words[index].hasPrefix("--"), found.isEmpty || flag.arity == .many {
                    found.append(words[index])
                    index += 1
                }
                guard !found.isEmpty else { throw UsageError("\(flag.name) needs a value: \(flag.placeholder)") }
                if flag.arity == .one, values[flag.name] != nil { throw UsageError("\(flag.name) is given twice") }
            }
            guard flag.mayBeEmpty || !found.contains("") else {
                throw UsageError("\(flag.name) has an empty value; is the variable that should hold it set?")
            }
            values[flag.name, default: []] += found
        }
        if values["--help"] != nil {
            Terminal.print(help)
            Terminal.exit(name, .held)
        }
        if values["--version"] != nil {
            Terminal.print("\(name) \(version)")
            Terminal.exit(name, .held)
        }
        guard given.count == operands.count else {
            throw UsageError("\(operands[given.count]) is missing; see \(name) --help")
        }
        return CommandArguments(operands: given, values: values)
    }

    /// The text of `--help`, at most 80 columns wide.
    var help: String {
        var lines = wrap(summary, width: 80)
        lines += ["", "Usage: \(([name] + operands).joined(separator: " ")) [FLAGS]", "", "Flags:"]
        for flag in flags {
            lines.append("  \(flag.name)" + (flag.placeholder.isEmpty ? "" : " \(flag.placeholder)"))
            lines += wrap(flag.help, width: 72).map { "        " + $0 }
        }
        if !examples.isEmpty { lines += ["", "Examples:"] }
        for example in examples {
            lines.append("  \(example.command)")
            lines += wrap(example.meaning, width: 72).map { "        " + $0 }
        }
        lines += [""] + wrap("Exit codes: " + exitCodes, width: 80)
        return lines.joined(separator: "\n")
    }
}

/// The operands and flags of a command line.
public struct CommandArguments: Sendable {
    /// The words that belong to no flag, as many as the command takes.
    public let operands: [String]
    private let values: [String: [String]]

    fileprivate init(operands: [String], values: [String: [String]]) {
        self.operands = operands
        self.values = values
    }

    /// Whether the flag is there.
    public func has(_ flag: String) -> Bool { values[flag] != nil }

    /// The flag's value, if it is there.
    public func value(_ flag: String) -> String? { values[flag]?.last }

    /// All values of the flag.
    public func values(_ flag: String) -> [String] { values[flag] ?? [] }

    /// The flag's values, each split at commas.
    public func list(_ flag: String) -> [String] {
        values(flag).flatMap { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    }

    /// The flag's value as a whole number above 0.
    ///
    /// - Throws: ``UsageError`` when it is something else.
    public func count(_ flag: String) throws(UsageError) -> Int? {
        guard let text = value(flag) else { return nil }
        guard let number = Int(text), number > 0 else {
            throw UsageError("\(flag) needs a whole number above 0, not '\(text)'")
        }
        return number
    }
}

/// Breaks a text into lines at spaces.
func wrap(_ text: String, width: Int) -> [String] {
    text.split(separator: " ").reduce(into: []) { lines, word in
        if let last = lines.last, last.count + 1 + word.count <= width {
            lines[lines.count - 1] += " " + word
        } else {
            lines.append(String(word))
        }
    }
}
