import Foundation
import Platform

/// What a report says where it runs in GitHub Actions: the step's summary, and an annotation for each kernel that failed.
public enum GitHubActions {
    private static var environment: [String: String] { ProcessInfo.processInfo.environment }

    /// The lines that annotate the report's failures where they stand on standard output; none elsewhere.
    public static func annotations(of report: VerificationReport) -> [String] {
        environment["GITHUB_ACTIONS"] == "true" ? report.annotations : []
    }

    /// Adds Markdown to the step's summary, where `GITHUB_STEP_SUMMARY` names its file.
    public static func summarize(_ markdown: String) throws(FileWriteError) {
        guard let path = environment["GITHUB_STEP_SUMMARY"], !path.isEmpty else { return }
        // GitHub takes 1 MiB, and nothing of what is larger.
        let limit = 1 << 20
        var text = markdown
        if text.utf8.count > limit {
            text = String(decoding: text.utf8.prefix(limit - 200), as: UTF8.self) + "\n\n… and more, in the report.\n"
        }
        do {
            if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(fileURLWithPath: path)) }
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try file.seekToEnd()
            try file.write(contentsOf: Data(text.utf8))
            try file.close()
        } catch {
            throw FileWriteError(path, error.localizedDescription, remedy: "GITHUB_STEP_SUMMARY names it")
        }
    }
}

extension VerificationReport {
    /// One workflow command for each kernel and mode that failed, with the worst of its tensors.
    ///
    /// Source: docs.github.com, Workflow commands for GitHub Actions.
    var annotations: [String] {
        var seen: Set<String> = []
        return rows.filter { $0.verdict == .fail }.compactMap { row in
            let title = "\(row.operation) \(row.pass), \(row.mode.rawValue)"
            guard seen.insert(title).inserted else { return nil }
            let repetition = row.repetition.map { "\nrepeat: \($0)" } ?? ""
            let message = "\(row.tensor) of \(row.case): \(row.finding)\(repetition)"
                .replacing("%", with: "%25").replacing("\n", with: "%0A").replacing("\r", with: "%0D")
            return "::error title=\(title.replacing(",", with: "%2C"))::\(message)"
        }
    }
}
