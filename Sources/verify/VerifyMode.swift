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
            Flag(
                "--allow", "WHAT",
                help: "Let pass, and say: nonfinite (NaN and infinities that go astray in a drawn call)."),
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
            ("verify", "Judge the fast kernels by all fixtures, and at sizes that none has."),
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
