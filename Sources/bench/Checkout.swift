import Foundation
import Platform
import Reporting
import Terminal

/// A commit, checked out and built in a folder of its own under ``folder``.
///
/// The folder stays: the next gate then builds only what has changed.
struct Checkout {
    /// Where all checkouts of gates are.
    static let folder = ".build/gate"

    /// `base` or `head`.
    let side: String
    /// The commit, and its short name.
    let commit: String
    let name: String

    private var folder: String { "\(Self.folder)/\(side)" }
    private var log: BuildLog { BuildLog(path: "\(folder).log", folder: folder) }

    /// The seconds that a build or a verification may take.
    private static let patience = 2 * 3600.0

    /// The commit that `reference` names.
    ///
    /// - Throws: `UsageError` when there is none.
    init(base reference: String) throws(UsageError) {
        side = "base"
        commit = try Git.commit(reference)
        name = try Git.run("rev-parse", "--short", commit)
    }

    /// The working tree: the last commit, with what has changed since in files that git knows.
    ///
    /// - Throws: `UsageError` when there is no commit.
    init(head _: Void) throws(UsageError) {
        side = "head"
        let head = try Git.commit("HEAD")
        let short = try Git.run("rev-parse", "--short", head)
        // A commit of the working tree that no branch knows; nothing where nothing has changed.
        let changed = try Git.run("stash", "create")
        commit = changed.isEmpty ? head : changed
        name = changed.isEmpty ? short : short + "+"
    }

    /// The files under Sources that git does not know, and that are therefore not in the head.
    static func unknownSources() throws(UsageError) -> [String] {
        try Git.run("ls-files", "--others", "--exclude-standard", "--", "Sources").split(separator: "\n").map(
            String.init)
    }

    /// Checks the commit out and builds `products`; returns the path of the folder of binaries.
    ///
    /// - Throws: `UsageError` when it cannot be checked out or built.
    func build(_ products: [String]) throws(UsageError) -> String {
        try checkOut()
        // SwiftPM leaves files of its own in the folder for temporary files, killed or not: they go with this one, or with
        // the next gate's.
        let temporary = URL(fileURLWithPath: "\(Self.folder)/tmp").path
        try? FileManager.default.removeItem(atPath: temporary)
        try? FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: temporary) }
        for product in products {
            let words = ["swift", "build", "--package-path", folder, "--product", product]
            // Its compilers end with it if it is asked to end.
            guard try run(words, environment: ["TMPDIR": temporary], death: .gentle) == .exited(0) else {
                throw UsageError(
                    "gate: the \(side) \(name) cannot be built: \(log.firstErrors); the whole output is in \(log.path)")
            }
        }
        return URL(fileURLWithPath: "\(folder)/.build/debug").resolvingSymlinksInPath().path
    }

    /// Brings the folder to the commit, whatever an earlier gate left in it.
    private func checkOut() throws(UsageError) {
        if FileManager.default.fileExists(atPath: "\(folder)/.git"),
            (try? Git.run("-C", folder, "checkout", "--quiet", "--force", "--detach", commit)) != nil
        {
            return
        }
        // It is new, or half made: of an earlier gate that was killed. Once is for the folder that is missing, twice for
        // the lock on one in the making.
        try? FileManager.default.removeItem(atPath: folder)
        try Git.run("worktree", "add", "--quiet", "--force", "--force", "--detach", folder, commit)
    }

    /// Judges the head by the fixtures of its commit.
    func verify(_ binaries: String) throws -> VerificationReport {
        let end = try run(["\(binaries)/verify", "--report", "../verify"], in: folder, death: .sudden)
        guard [.exited(0), .exited(1)].contains(end),
            let data = FileManager.default.contents(atPath: "\(folder)/../verify/verify.json")
        else {
            throw UsageError(
                "gate: verify of the head \(name) \(end) (\(log.lastLine)); the whole output is in \(log.path)")
        }
        return try JSON.report(VerificationReport.self, from: data)
    }

    private func run(
        _ words: [String], environment: [String: String] = [:], in folder: String? = nil, death: ChildProgram.Death
    ) throws(UsageError) -> ChildProgram.End {
        do {
            return try Subprocess.run(
                words, environment: environment, log: log.path, in: folder, death: death, within: Self.patience)
        } catch {
            throw UsageError("gate: \(error)")
        }
    }
}
