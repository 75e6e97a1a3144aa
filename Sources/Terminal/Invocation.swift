extension Terminal {
    /// A command of this package as the person would type it: as `swift run` does, where this one was run so; each word as
    /// a shell takes it.
    public static func invocation(_ words: [String]) -> String {
        let command = words.map(quoted).joined(separator: " ")
        return CommandLine.arguments[0].contains(".build/") ? "swift run \(command)" : command
    }

    /// A word as a shell takes it.
    public static func quoted(_ word: String) -> String {
        word.isEmpty || word.contains { " \t\n'\"$&;()*?[]{}<>|\\`~#!".contains($0) }
            ? "'" + word.replacing("'", with: "'\\''") + "'" : word
    }
}
