import Foundation
import Platform
import Reporting
import Terminal

/// A commit, checked out and built in a folder of its own under `.build/gate`.
///
/// The folder stays: the next gate then builds only what has changed.
struct Checkout {
    /// `base` or `head`.
    let side: String
    /// The commit, and its short name.
    let commit: String
    let name: String

    private var folder: String { ".build/gate/\(side)" }
    private var log: String { ".build/gate/\(side).log" }

    /// The commit that `reference` names.
    ///
    /// - Throws: `UsageError` when there is none.
    init(base reference: String) throws(UsageError) {
        side = "base"
        guard let commit = Subprocess.git("rev-parse", "--verify", "--quiet", "\(reference)^{commit}") else {
            throw UsageError(
                "gate --base: there is no commit '\(reference)' here; fetch it, or name another, such as HEAD~1")
        }
        self.commit = commit
        name = Subprocess.git("rev-parse", "--short", commit) ?? commit
    }

    /// The working tree: the last commit, with what has changed since in files that git knows.
    ///
    /// - Throws: `UsageError` outside a checkout.
    init(head _: Void) throws(UsageError) {
        side = "head"
        guard let head = Subprocess.git("rev-parse", "HEAD"), let short = Subprocess.git("rev-parse", "--short", "HEAD")
        else {
            throw UsageError("gate: this is no git checkout; run it in the root of one")
        }
        // A commit of the working tree that no branch knows; nothing where nothing has changed.
        let changed = Subprocess.git("stash", "create") ?? ""
        commit = changed.isEmpty ? head : changed
        name = changed.isEmpty ? short : short + "+"
    }

    /// The files under Sources that git does not know, and that are therefore not in the head.
    static var unknownSources: [String] {
        (Subprocess.git("ls-files", "--others", "--exclude-standard", "--", "Sources") ?? "").split(separator: "\n")
            .map(
                String.init)
    }

    /// Checks the commit out and builds `products`; returns the path of the folder of binaries.
    ///
    /// - Throws: `UsageError` when it cannot be checked out or built.
    func build(_ products: [String]) throws(UsageError) -> String {
        let isThere = FileManager.default.fileExists(atPath: "\(folder)/.git")
        let done =
            isThere
            ? Subprocess.git("-C", folder, "checkout", "--quiet", "--force", "--detach", commit) != nil
            : Subprocess.git("worktree", "add", "--quiet", "--force", "--detach", folder, commit) != nil
        guard done else {
            throw UsageError("gate: \(name) cannot be checked out to \(folder); remove that folder and try again")
        }
        for product in products {
            let status = Subprocess.run(["swift", "build", "--package-path", folder, "--product", product], log: log)
            guard status == 0 else {
                throw UsageError("gate: the \(side) \(name) cannot be built; see \(log)")
            }
        }
        return URL(fileURLWithPath: "\(folder)/.build/debug").resolvingSymlinksInPath().path
    }

    /// Judges the head by the fixtures of its commit.
    func verify(_ binaries: String) throws -> VerificationReport {
        let status = Subprocess.run(["\(binaries)/verify", "--report", "../verify"], log: log, in: folder)
        let path = "\(folder)/../verify/verify.json"
        guard status == 0 || status == 1, let data = FileManager.default.contents(atPath: path) else {
            throw UsageError("gate: verify of the head \(name) failed; see \(log)")
        }
        return try JSON.report(VerificationReport.self, from: data)
    }
}
