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
        let outcome: Subprocess.Outcome
        do {
            // Nobody is there to be asked for a password.
            outcome = try Subprocess.run(["git"] + words, environment: ["GIT_TERMINAL_PROMPT": "0"])
        } catch {
            throw UsageError("gate: \(error)")
        }
        guard outcome.end == .exited(0) else {
            let reason = outcome.errors.split(whereSeparator: \.isNewline).first.map(Formatting.printable)
            throw UsageError("gate: git \(words[0]) \(outcome.end) (\(reason ?? "it says nothing"))")
        }
        return outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Sees whether this is the root of a checkout that git reads.
    ///
    /// - Throws: `UsageError` where it is not.
    static func requireCheckout() throws(UsageError) {
        let root: String
        do {
            root = try run("rev-parse", "--show-toplevel")
        } catch {
            let remedy =
                error.description.contains("dubious ownership")
                ? "git config --global --add safe.directory \(FileManager.default.currentDirectoryPath) makes git read it"
                : error.description.contains("not a git repository")
                    ? "this is no git checkout: run it in the root of one" : "see git status"
            throw UsageError("\(error); \(remedy)")
        }
        guard try run("rev-parse", "--show-prefix").isEmpty else {
            throw UsageError("gate: this is not the root of the checkout; run it in \(root)")
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
                "gate --base: there is no commit '\(reference)' here; git fetch may get it, git log shows those there are")
        }
        throw UsageError(
            "gate --base: there is no commit '\(reference)' here, since this clone is shallow; git fetch --unshallow "
                + "gets the rest, in a workflow fetch-depth: 0 of actions/checkout")
    }
}
