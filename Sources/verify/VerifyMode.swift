import Foundation
import GPT2
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
            "Compares every GPT-2 kernel, layer by layer, with what PyTorch computed. `verify compare` judges what another program wrote, `verify gradcheck` needs no fixtures, `verify selftest` tries the harness itself; each has its own --help.",
        flags: [
            Flag(
                "--kernels", "SET",
                help:
                    "What to judge: fast (the default), reference, a shared library such as ./libmine.so, or a mix such as fast,matmul=reference."
            ),
            Flag("--only", "OP,...", .many, help: "Judge these operations alone, such as gelu,layernorm."),
            Flag(
                "--mode", "MODE,...", .many,
                help:
                    "isolated (kernels on the reference's inputs), drawn (at sizes that break kernels, on drawn inputs), chained (a model on its own outputs), training (steps of the optimizer), or all; \(usualModes) if not given."
            ),
            Flag(
                "--case", "OP/CASE",
                help:
                    "One case alone: of a fixture, such as matmul/primes or matmul/backward/primes, or drawn, such as matmul/forward/drawn:B=1,T=3,C=65,OC=2. Every failure names its own. Writes no report unless there is --report."
            ),
            Flag(
                "--dump", "FILE.h5",
                help: "With --case: write its inputs, truth, bounds and the kernel's answer, to look at with h5py."),
            Flag(
                "--shapes", "SHAPE,...", .many,
                help: "Draw at the sizes of these models and batches, such as 124M:4x64, and odd; as in bench."),
            Flag("--seed", "N", help: "What drawn sizes and inputs are drawn from; 1 if not given."),
            Flag("--fixture", "FILE ...", .many, help: "Judge by these fixtures; those of the project if not given."),
            Flag(
                "--model", "FILE",
                help: "Judge by a model of llm.c's, such as gpt2_124M.bin, and its --state, in place of fixtures."),
            Flag("--state", "FILE", help: "What PyTorch computed with it: llm.c's gpt2_124M_debug_state.bin."),
            Flag("--threads", "N", help: "Threads for the kernels; all cores if not given."),
            Flag("--details", help: "Show every result and every layer, not only a line for each kernel and model."),
            Flag(
                "--report", "DIR",
                help: "Where verify.md, verify.json and verify.junit.xml go; reports if not given."),
            Flag("--list", help: "List the implementations of every kernel and exit."),
        ],
        examples: [
            ("verify", "Judge the fast kernels by all fixtures of the project."),
            ("verify --kernels reference --only attention", "Judge one operation of the reference."),
            ("verify --fixture fixtures/generated/124M.h5", "Judge a whole GPT-2 of 124 million parameters."),
            ("verify --mode drawn --only matmul", "Judge one operation at sizes that no fixture has."),
            ("verify --shapes 124M:4x64 --only gelu,residual", "Judge two at the sizes of a model and batch."),
            ("verify --case matmul/forward/drawn:B=1,T=3,C=65,OC=2", "Judge one call, of any sizes."),
            ("verify --case gelu/backward/bend --dump bend.h5", "Judge one case, and keep it to look at."),
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
        let name = try chosenCase(arguments)
        // What one case shows is all on the terminal, and the report of the whole run is to stay.
        let folder =
            name == nil || arguments.has("--report") ? try OutputFolder(arguments.value("--report") ?? "reports") : nil
        let selection = try KernelCatalog.standard.selection(
            named: arguments.value("--kernels") ?? "fast", workers: Workers(count: threads))
        if arguments.has("--model") || arguments.has("--state") {
            return try LLMCMode.run(arguments, selection.kernels, selection.libraries, flags: words, to: folder)
        }
        let request = try request(arguments, name, selection)

        let bar = ProgressBar()
        let outcome: VerificationOutcome
        do {
            outcome = try Verifier(request) { bar.show($0, fraction: $1) }.run()
        } catch let error as CaseNameError {
            throw usageError(error)
        }
        bar.clear()
        let remarks = try dump(outcome.records, arguments)

        var report = VerificationReport(
            outcome, kernels: request.kernels, libraries: request.libraries, flags: words,
            seconds: started.secondsToNow)
        guard name == nil else { return try publish(report, to: folder, .oneCase, remarks: remarks) }
        report.addRepetitions(Repetition(arguments, seed: request.seed).command)
        return try publish(report, to: folder, extent(arguments))
    }

    /// What of the report is to be shown.
    static func extent(_ arguments: CommandArguments) -> Extent { arguments.has("--details") ? .details : .summary }

    // MARK: - What is asked for

    private static func request(
        _ arguments: CommandArguments, _ name: CaseName?, _ selection: KernelSelection
    ) throws -> VerificationRequest {
        let given = arguments.has("--fixture") ? arguments.values("--fixture") : nil
        var request: VerificationRequest
        if let name {
            request = VerificationRequest(
                name, kernels: selection.kernels, libraries: selection.libraries, fixtures: given, root: ".")
        } else {
            request = VerificationRequest(
                kernels: selection.kernels, libraries: selection.libraries,
                fixtures: given ?? Verifier.committedFixtures(in: "."),
                operations: try KernelCatalog.standard.checkedOperations(arguments.list("--only")),
                modes: arguments.has("--mode") ? try modes(arguments.list("--mode")) : ComparisonRow.Mode.usual)
            try chooseShapes(arguments, &request)
        }
        request.seed = UInt64(try arguments.count("--seed") ?? 1)
        return request
    }

    /// The case of `--case`, if it is given.
    private static func chosenCase(_ arguments: CommandArguments) throws -> CaseName? {
        guard let text = arguments.value("--case") else {
            guard !arguments.has("--dump") else { throw UsageError("--dump writes one case; name it with --case") }
            return nil
        }
        for flag in ["--only", "--mode", "--shapes", "--model", "--state"] where arguments.has(flag) {
            throw UsageError("\(flag) does not go with --case; leave it out")
        }
        let name: CaseName
        do { name = try CaseName(text) } catch { throw usageError(error) }
        guard !name.isDrawn || !arguments.has("--fixture") else {
            throw UsageError("--fixture does not go with a drawn case; leave it out")
        }
        if let file = arguments.value("--dump") { try AtomicFile.attempt(file) }
        return name
    }

    private static func usageError(_ error: CaseNameError) -> UsageError {
        let known = error.known
        let near = known.isEmpty || error.word.isEmpty ? "" : suggestion(error.word, among: known)
        return UsageError(
            "--case: \(error.problem)"
                + (near.isEmpty && !known.isEmpty ? " (there are \(known.joined(separator: ", ")))" : near))
    }

    /// Has the kernels be judged at the sizes of `--shapes`, if that is given, and in no other mode unless one is named.
    private static func chooseShapes(_ arguments: CommandArguments, _ request: inout VerificationRequest) throws {
        guard arguments.has("--shapes") else { return }
        if !arguments.has("--mode") { request.modes = [.drawn] }
        guard request.modes.contains(.drawn) else {
            throw UsageError("--shapes are those of the mode drawn; add that to --mode")
        }
        request.cases = .shapes(try arguments.list("--shapes").map { try ModelShape($0) })
    }

    /// Writes the case to the file of `--dump`, if that is given; says so.
    private static func dump(_ records: [CaseRecord], _ arguments: CommandArguments) throws -> [String] {
        guard let file = arguments.value("--dump") else { return [] }
        guard let record = records.first else {
            throw UsageError("--dump writes what a kernel computed; this case has more calls than one")
        }
        guard records.count == 1 else {
            throw UsageError("--dump writes one case; name one pass, such as \(record.title)")
        }
        try record.write(to: file)
        return ["Written: inputs, truth, bounds and answer of \(record.title)", "    to \(file)"]
    }

    /// What of a report is shown.
    enum Extent {
        /// A line for each kernel and model.
        case summary
        /// Every result and layer before that.
        case details
        /// The results of one case.
        case oneCase
    }

    /// Shows a report, with `remarks` of the mode's own before the verdict, and writes it to `folder`, if there is one; says
    /// how the command ends.
    static func publish(
        _ report: VerificationReport, to folder: OutputFolder?, _ extent: Extent = .summary, remarks: [String] = []
    ) throws -> ExitCode {
        let style = Style.standardOutput
        let summary = [report.kernelLines, report.modelLines]
        let tables =
            switch extent {
            case .summary: summary
            case .details: [report.resultLines, report.layerLines, report.trainingLines] + summary
            case .oneCase: [report.resultLines]
            }
        for section in tables where !section.isEmpty {
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

    private static let usualModes = ComparisonRow.Mode.allCases.filter { ComparisonRow.Mode.usual.contains($0) }
        .map(\.rawValue).joined(separator: ",")

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
