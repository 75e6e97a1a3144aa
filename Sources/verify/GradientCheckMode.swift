import Foundation
import GradientCheck
import KernelCatalog
import Kernels
import Platform
import Reporting
import Terminal

/// `verify gradcheck`: holds backward kernels against differences of their forwards, and writes the report.
enum GradientCheckMode {
    private static let syntax = CommandSyntax(
        "verify gradcheck",
        summary:
            "Holds each backward kernel against central differences of its forward, on random inputs and cotangents: the reference in double, and the kernels chosen in float32. It needs no fixtures.",
        flags: [
            Flag("--kernels", "SET", help: "The kernels to check, as `verify --kernels` takes them; fast by default."),
            Flag("--only", "OP,...", .many, help: "Check these operations alone, such as gelu,layernorm."),
            Flag("--seed", "N", help: "What inputs and cotangents are drawn from; 1 if not given."),
            Flag("--threads", "N", help: "Threads for the kernels; all cores if not given."),
            Flag("--report", "DIR", help: "Where gradcheck.md and gradcheck.json go; reports if not given."),
        ],
        examples: [
            ("verify gradcheck", "Check the fast kernels and the reference."),
            ("verify gradcheck --kernels reference --only gelu", "Check one operation of the reference."),
        ])

    static func run(_ words: [String]) throws -> ExitCode {
        let arguments = try syntax.parse(words)
        let started = ContinuousClock.now
        let threads = try arguments.threads(upTo: Workers.most)
        let folder = try OutputFolder(arguments.value("--report") ?? "reports")
        let kernels = try KernelCatalog.standard.selection(
            named: arguments.value("--kernels") ?? "fast", workers: Workers(count: threads)
        ).kernels
        let operations = try KernelCatalog.standard.checkedOperations(arguments.list("--only"))
        let seed = UInt64(try arguments.count("--seed") ?? 1)
        let bar = ProgressBar()
        let check = GradientCheck(operations: operations, seed: seed) { bar.show($0, fraction: $1) }
        let rows = check.reference() + check.verdict(on: kernels)
        bar.clear()
        guard !rows.isEmpty else {
            throw UsageError(
                "--only: none of these has a backward pass; there are "
                    + GradientCheck.kernels().map { $0.name.operation }.joined(separator: ", "))
        }

        let report = GradientReport(
            rows: rows, seed: seed, machine: .current(threads: threads), commit: RunFacts.commit(),
            flags: ["gradcheck"] + words, seconds: started.secondsToNow)
        let style = Style.standardOutput
        for line in report.lines { Terminal.print(line.hasSuffix("FAIL") ? style.red(line) : line) }
        Terminal.print("")
        for line in report.failureLines { Terminal.print(style.red(line)) }
        Terminal.print(report.holds ? style.green(report.headline) : style.red(report.headline))
        Terminal.print(style.dim("Worst: largest error over its bound, which step and rounding explain."))
        try folder.write([("gradcheck.json", JSON.data(report)), ("gradcheck.md", Data(report.markdown.utf8))])
        Terminal.print(style.dim("Every gradient: \(folder("gradcheck.md")) and \(folder("gradcheck.json"))"))
        try GitHubActions.summarize(report.markdown)
        return report.holds ? .held : .didNotHold
    }
}
