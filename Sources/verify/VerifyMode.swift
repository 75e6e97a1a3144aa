import Foundation
import KernelCatalog
import Kernels
import Platform
import Reporting
import Terminal
import Verification

/// `verify`: judges kernels and writes the report.
enum VerifyMode {
    private static let syntax = CommandSyntax(
        "verify",
        summary:
            "Compares every GPT-2 kernel, layer by layer, with what PyTorch computed. `verify compare` judges what another program wrote, `verify gradcheck` needs no fixtures, and `verify selftest` tries the harness itself; each has its own --help.",
        flags: [
            Flag(
                "--kernels", "SET",
                help:
                    "The kernels to judge: fast (the default), reference, the path of a shared library, or a list such as fast,matmul=reference."
            ),
            Flag("--fixture", "FILE ...", .many, help: "The fixtures to judge by; those of the project if not given."),
            Flag("--only", "OP,...", .many, help: "Judge these operations alone, such as gelu,layernorm."),
            Flag(
                "--mode", "MODE", .many,
                help:
                    "isolated (each kernel on the reference's inputs), drawn (each kernel at sizes that break kernels, and GPT-2's own, on drawn inputs), chained (the model on its own outputs), training (steps of the optimizer), or all; without the flag, all but drawn, which takes its time."
            ),
            Flag("--seed", "N", help: "What drawn sizes and inputs are drawn from; 1 if not given."),
            Flag(
                "--model", "FILE",
                help: "A model of llm.c's, such as gpt2_124M.bin; judge by it and its --state, in place of fixtures."),
            Flag("--state", "FILE", help: "What PyTorch computed with it: llm.c's gpt2_124M_debug_state.bin."),
            Flag("--threads", "N", help: "Threads for the kernels; all cores if not given."),
            Flag(
                "--report", "DIR",
                help: "Where verify.md, verify.json and verify.junit.xml go; reports if not given."),
            Flag("--details", help: "Show every result and every layer, not only a line for each kernel and model."),
            Flag("--list", help: "List the implementations of every kernel and exit."),
        ],
        examples: [
            ("verify", "Judge the fast kernels by all fixtures of the project."),
            ("verify --kernels reference --only attention", "Judge one operation of the reference."),
            ("verify --fixture fixtures/generated/124M.h5", "Judge a whole GPT-2 of 124 million parameters."),
            ("verify --mode drawn --only matmul", "Judge one operation at sizes that no fixture has."),
            ("verify --kernels ./libmine.so", "Judge the kernels of a C library, in processes of their own."),
            (
                "verify --model gpt2_124M.bin --state gpt2_124M_debug_state.bin",
                "Judge by llm.c's files: logits, loss and gradients."
            ),
            ("verify compare fixtures/tiny.h5 candidate.h5", "Judge what another program wrote."),
            ("verify gradcheck", "Hold each backward kernel against differences of its forward."),
            ("verify selftest", "Plant bugs and see each of them caught."),
        ])

    static func run(_ words: [String]) throws -> ExitCode {
        let arguments = try syntax.parse(words)
        if arguments.has("--list") {
            for line in listing() { Terminal.print(line) }
            return .held
        }
        let started = ContinuousClock.now
        let threads = try arguments.threads(upTo: Workers.most)
        let folder = try OutputFolder(arguments.value("--report") ?? "reports")
        let selection = try KernelCatalog.standard.selection(
            named: arguments.value("--kernels") ?? "fast", workers: Workers(count: threads))
        if arguments.has("--model") || arguments.has("--state") {
            return try LLMCMode.run(arguments, selection.kernels, selection.libraries, flags: words, to: folder)
        }
        var request = VerificationRequest(
            kernels: selection.kernels, libraries: selection.libraries,
            fixtures: arguments.has("--fixture") ? arguments.values("--fixture") : Verifier.committedFixtures(in: "."),
            operations: try KernelCatalog.standard.checkedOperations(arguments.list("--only")),
            modes: arguments.has("--mode") ? try modes(arguments.list("--mode")) : ComparisonRow.Mode.usual)
        request.seed = UInt64(try arguments.count("--seed") ?? 1)

        let bar = ProgressBar()
        let outcome = try Verifier(request) { bar.show($0, fraction: $1) }.run()
        bar.clear()

        let report = VerificationReport(
            outcome, kernels: request.kernels, libraries: request.libraries, flags: words,
            seconds: started.secondsToNow)
        return try publish(report, to: folder, withDetails: arguments.has("--details"))
    }

    /// Shows a report, with `remarks` of the mode's own before the verdict, and writes it to `folder`, if there is one; says
    /// how the command ends.
    static func publish(
        _ report: VerificationReport, to folder: OutputFolder?, withDetails: Bool = false, remarks: [String] = []
    ) throws -> ExitCode {
        let style = Style.standardOutput
        let details = withDetails ? [report.resultLines, report.layerLines, report.trainingLines] : []
        for section in details + [report.kernelLines, report.modelLines] where !section.isEmpty {
            Terminal.print(style.bold(section[0]))
            for line in section.dropFirst() { Terminal.print(line.hasSuffix("FAIL") ? style.red(line) : line) }
            Terminal.print("")
        }
        for section in [report.libraryLines, remarks] where !section.isEmpty {
            for line in section { Terminal.print(line) }
            Terminal.print("")
        }
        for line in report.failureLines { Terminal.print(style.red(line)) }
        for line in GitHubActions.annotations(of: report) { Terminal.print(line) }
        for line in report.legendLines { Terminal.print(style.dim(line)) }
        if let folder {
            try folder.write(report.files())
            Terminal.print(style.dim("Every comparison: \(folder("verify.md")) and \(folder("verify.json"))"))
            try GitHubActions.summarize(report.markdown)
        }
        // What matters most stands next to the prompt.
        Terminal.print("")
        for line in report.blameLines { Terminal.print(line) }
        Terminal.print(report.verdict == .pass ? style.green(report.headline) : style.red(report.headline))
        return report.verdict == .pass ? .held : .didNotHold
    }

    private static func modes(_ names: [String]) throws(UsageError) -> Set<ComparisonRow.Mode> {
        var modes: Set<ComparisonRow.Mode> = []
        for name in names {
            if name == "all" {
                modes.formUnion(ComparisonRow.Mode.allCases)
            } else if let mode = ComparisonRow.Mode(rawValue: name) {
                modes.insert(mode)
            } else {
                throw UsageError("--mode: '\(name)' is none of isolated, drawn, chained, training and all")
            }
        }
        return modes
    }

    private static func listing() -> [String] {
        Formatting.plain(
            [["kernel", "implementations"]]
                + KernelCatalog.standard.kernels.map { kernel in
                    let names = KernelCatalog.standard.implementations.filter { $0.kernelName == kernel.name }.map(
                        \.name)
                    return [kernel.name.description, names.joined(separator: ", ")]
                })
    }
}
