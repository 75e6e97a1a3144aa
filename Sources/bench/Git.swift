import Foundation
import Platform
import Terminal

/// What the gate asks of git, in the checkout around the working directory.
enum Git {
    /// What git prints for those words, without blanks around it.
    ///
    /// - Throws: `UsageError` with what git says, when it fails.
    @discardableResult
    static func run(_ words: String...) throws(UsageError) -> String {
        let outcome = try outcome(words)
        guard outcome.end == .exited(0) else {
            throw UsageError("gate: git \(words[0]) \(outcome.end) (\(reason(outcome)))")
        }
        return text(outcome)
    }

    /// Sees whether this is the root of a checkout that git reads.
    ///
    /// - Throws: `UsageError` where it is not.
    static func requireCheckout() throws(UsageError) {
        let outcome = try outcome(["rev-parse", "--show-toplevel"])
        guard outcome.end == .exited(0) else {
            let here = FileManager.default.currentDirectoryPath
            throw UsageError(
                outcome.errors.contains("safe.directory")
                    ? "gate: git does not trust this checkout (\(reason(outcome))); "
                        + "git config --global --add safe.directory \(here) makes it"
                    : "gate: this is no git checkout (\(reason(outcome))); run it in the root of one")
        }
        guard try run("rev-parse", "--show-prefix").isEmpty else {
            throw UsageError("gate: this is not the root of the checkout; run it in \(text(outcome))")
        }
    }

    /// The commit that `reference` names.
    ///
    /// - Throws: `UsageError` when there is none.
    static func commit(_ reference: String) throws(UsageError) -> String {
        let commit = try? run("rev-parse", "--verify", "--quiet", "--end-of-options", "\(reference)^{commit}")
        if let commit { return commit }
        guard (try? run("rev-parse", "--is-shallow-repository")) == "true" else {
            throw UsageError(
                "gate --base: there is no commit '\(reference)' here; git fetch may get it, git log shows those there are"
            )
        }
        throw UsageError(
            "gate --base: there is no commit '\(reference)' here, since this clone is shallow; git fetch --unshallow "
                + "gets the rest, in a workflow fetch-depth: 0 of actions/checkout")
    }

    private static func outcome(_ words: [String]) throws(UsageError) -> Subprocess.Outcome {
        do {
            // Nobody is there to be asked for a password.
            return try Subprocess.run(["git"] + words, environment: ["GIT_TERMINAL_PROMPT": "0"])
        } catch {
            throw UsageError("gate: \(error)")
        }
    }

    private static func text(_ outcome: Subprocess.Outcome) -> String {
        outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// What git says first.
    private static func reason(_ outcome: Subprocess.Outcome) -> String {
        outcome.errors.split(whereSeparator: \.isNewline).first.map { Formatting.printable($0) } ?? "it says nothing"
    }
}
