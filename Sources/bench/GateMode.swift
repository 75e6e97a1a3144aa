import Benchmarking
import Foundation
import KernelCatalog
import Platform
import Reporting
import Terminal

/// `bench gate`: whether a change may be merged.
enum GateMode {
    private static let syntax = CommandSyntax(
        "bench gate",
        summary:
            "Builds two commits, runs both live in one interleaved run, and fails if a kernel became wrong, less accurate or slower.",
        flags: [
            Flag("--base", "GITREF", help: "The commit to compare with, such as origin/main or HEAD~1."),
            Flag("--only", "OP,...", .many, help: "Compare these operations alone, such as matmul,gelu."),
            Flag("--kernels", "SET", help: "The kernels of both commits; fast if not given."),
            Flag(
                "--shapes", "SHAPE,...", .many,
                help: "Models and batches, as bench takes them; 124M:1x64,odd if not given."),
            Flag("--threads", "N,...", .many, help: "Numbers of threads; 1 if not given, which is the steadiest."),
            Flag("--accept", "OP,...", .many, help: "Operations that may become less accurate."),
            Flag("--report", "DIR", help: "Where gate.md, gate.json and the drawings go; reports if not given."),
        ],
        examples: [
            ("bench gate --base origin/main", "Compare the working tree with the main branch."),
            ("bench gate --base HEAD~1 --only gelu", "Compare one operation with the commit before."),
        ])

    static func run(_ words: [String]) throws -> ExitCode {
        let arguments = try syntax.parse(words)
        let started = ContinuousClock.now
        guard let reference = arguments.value("--base") else {
            throw UsageError("gate needs --base GITREF, such as gate --base HEAD~1")
        }
        let only = arguments.list("--only")
        let operations = only.isEmpty ? nil : try KernelCatalog.standard.checkedOperations(only)
        let accepted = try KernelCatalog.standard.checkedOperations(arguments.list("--accept"))
        let shapes = try BenchMode.shapes(arguments, otherwise: "124M:1x64,odd")
        let threads = arguments.has("--threads") ? try BenchMode.threads(arguments) : [1]
        let folder = try OutputFolder(arguments.value("--report") ?? "reports")
        try Git.requireCheckout()
        let base = try Checkout(base: reference)
        let head = try Checkout(head: ())
        let lock = try GateLock()
        defer { extendLifetime(lock) }
        for file in try Checkout.unknownSources() {
            Terminal.note("gate: \(file) is not known to git and not in the head; git add it")
        }

        let bar = ProgressBar()
        bar.show("building \(base.name)", fraction: 0)
        let basePath = try base.build(["bench"])
        bar.show("building \(head.name)", fraction: 0.1)
        let headPath = try head.build(["bench", "verify"])
        bar.show("verifying \(head.name)", fraction: 0.2)
        let verification = try head.verify(headPath)

        let set = arguments.value("--kernels") ?? "fast"
        let request = GateRequest(
            head: .kernels(set, name: "head", bench: headPath + "/bench"),
            base: .kernels(set, name: "base", bench: basePath + "/bench"), shapes: shapes, threads: threads,
            operations: operations, accepted: accepted)
        var (outcome, findings, remarks) = try Gate(request) { bar.show($0, fraction: 0.25 + 0.75 * $1) }.run()
        bar.clear()
        if verification.verdict == .fail {
            findings.insert(
                .init(
                    kind: .wrong, kernel: "verify", text: verification.blamed?.explanation ?? verification.headline),
                at: 0)
        } else {
            remarks.append("verify of the head: \(verification.headline)")
        }

        var report = BenchmarkReport(
            outcome, kind: .gate, threads: threads.max() ?? 1, command: ["bench", "gate"] + words,
            seconds: started.secondsToNow)
        report.gate = .init(base: base.name, head: head.name, findings: findings, remarks: remarks)
        let style = Style.standardOutput
        for line in report.gateLines { Terminal.print(line) }
        for line in report.headlineLines { Terminal.print(findings.isEmpty ? style.green(line) : style.red(line)) }
        try folder.write(report.files())
        Terminal.print(style.dim("The whole report: \(folder("gate.md")) and \(folder("gate.json"))"))
        try GitHubActions.summarize(report.gateMarkdown(withDrawings: false))
        return report.holds ? .held : .didNotHold
    }
}
