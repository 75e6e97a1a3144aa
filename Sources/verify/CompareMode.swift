import Foundation
import Platform
import Reporting
import Terminal
import Verification

/// `verify compare`: judges what another program wrote of one pass, and writes the report.
enum CompareMode {
    private static let syntax = CommandSyntax(
        "verify compare", operands: ["REFERENCE.h5", "CANDIDATE.h5"],
        summary:
            "Compares the activations and gradients that another program wrote (CANDIDATE.h5, such as scripts/dump_hooks.py makes) with a debug state (REFERENCE.h5), in the order of execution, and names the first that diverges.",
        flags: [
            Flag(
                "--follow-links",
                help:
                    "Read what links, virtual datasets and external data of CANDIDATE.h5 name in other files; refused if not given."
            ),
            Flag("--details", help: "Show every tensor, not only a line for the model."),
            Flag(
                "--report", "DIR",
                help: "Where verify.md, verify.json and verify.junit.xml go; reports if not given."),
        ],
        examples: [
            ("verify compare fixtures/tiny.h5 candidate.h5", "Judge a dump by the project's small model.")
        ])

    static func run(_ words: [String]) throws -> ExitCode {
        let arguments = try syntax.parse(words)
        let folder = try OutputFolder(arguments.value("--report") ?? "reports")
        let started = ContinuousClock.now
        let bar = ProgressBar()
        let found = try DumpComparison(
            reference: arguments.operands[0], candidate: arguments.operands[1],
            followingLinks: arguments.has("--follow-links")
        ) { bar.show($0, fraction: $1) }.run()
        bar.clear()
        let report = VerificationReport(
            found.outcome, flags: ["compare"] + words, seconds: started.secondsToNow)
        let (listed, absent) = (found.outcome.fixtures[0], found.notMaterialised)
        let remarks =
            [
                "Compared \(Formatting.count(listed.compared)) of \(Formatting.count(listed.listed)) tensors; "
                    + "\(absent.count) are not materialised by the candidate" + (absent.isEmpty ? "." : ":")
            ] + summary(absent).map { "  \($0)\($1 > 1 ? " (\($1) times)" : "")" }
            + found.otherTypes.flatMap { type, count in
                Formatting.wrapped(
                    "The candidate holds \(type) (\(Formatting.count(count)) tensors), judged by the bands of float32.")
            }
        let code = try VerifyMode.publish(
            report, to: folder, VerifyMode.extent(arguments), remarks: remarks)
        // What is not in the form is unusable, whatever became of the rest.
        if let misfit = found.misfit { throw misfit }
        return code
    }

    /// The names without their blocks, each with how often it occurs, in order of appearance.
    private static func summary(_ paths: [String]) -> [(String, Int)] {
        paths.reduce(into: []) { names, path in
            let name = path.replacing(#/h\.\d+\./#, with: "h.*.")
            if let index = names.firstIndex(where: { $0.0 == name }) {
                names[index].1 += 1
            } else {
                names.append((name, 1))
            }
        }
    }
}
