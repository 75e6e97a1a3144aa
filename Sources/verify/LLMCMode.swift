import ForeignKernels
import Kernels
import Platform
import Reporting
import Terminal
import Verification

/// `verify --model … --state …`: judges kernels by llm.c's files, and writes the report.
enum LLMCMode {
    static func run(
        _ arguments: CommandArguments, _ kernels: KernelSet<Float>, _ libraries: [ForeignLibrary], flags: [String],
        to folder: OutputFolder?
    ) throws -> ExitCode {
        guard let model = arguments.value("--model"), let state = arguments.value("--state") else {
            throw UsageError("--model and --state belong together; give both, such as gpt2_124M.bin and its state")
        }
        for flag in ["--fixture", "--only", "--mode", "--shapes"] where arguments.has(flag) {
            throw UsageError("\(flag) does not go with --model and --state; leave it out")
        }
        let started = ContinuousClock.now
        let bar = ProgressBar()
        let outcome = try LLMCComparison(model: model, state: state, kernels: kernels) {
            bar.show($0, fraction: $1)
        }.run()
        bar.clear()
        let report = VerificationReport(
            outcome, kernels: kernels, libraries: libraries, flags: flags,
            seconds: started.secondsToNow)
        return try VerifyMode.publish(report, to: folder, VerifyMode.extent(arguments))
    }
}
