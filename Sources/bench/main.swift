import Benchmarking
import Foundation
import KernelCatalog
import Kernels
import Reporting
import Terminal

let syntax = CommandSyntax(
    "bench",
    summary:
        "Times every GPT-2 kernel beside another implementation, in pairs, and says how near it comes to the machine's limits.",
    flags: [
        Flag(
            "--kernels", "A,B", help: "The kernels to time and those to compare them with; fast,reference if not given."
        ),
        Flag("--only", "OP,...", .many, help: "Time these operations alone, such as matmul,gelu."),
        Flag("--shape", "BxT", help: "The batch and sequence of a 124M model; 1x64 if not given."),
        Flag("--threads", "N", help: "Threads for the kernels; all cores if not given."),
        Flag("--report", "DIR", help: "Where bench.md and bench.json go; reports if not given."),
    ],
    examples: [
        ("bench", "Time the fast kernels beside the reference."),
        ("bench --only matmul --shape 4x64 --threads 1", "Time one operation on one thread."),
    ])

Terminal.run("bench") {
    let words = Array(CommandLine.arguments.dropFirst())
    let arguments = try syntax.parse(words)
    let started = ContinuousClock.now
    let workers = Workers(
        count: try arguments.count("--threads") ?? ProcessInfo.processInfo.activeProcessorCount)
    let names = arguments.has("--kernels") ? arguments.list("--kernels") : ["fast", "reference"]
    guard names.count == 2 else {
        throw UsageError("--kernels needs two sets, such as fast,reference")
    }
    let (batch, sequence) = try shape(arguments.value("--shape") ?? "1x64")
    let request = BenchmarkRequest(
        candidate: try KernelCatalog.set(named: names[0], workers: workers),
        base: try KernelCatalog.set(named: names[1], workers: workers),
        operations: try KernelCatalog.checkedOperations(arguments.list("--only")), batch: batch, sequence: sequence)

    let bar = ProgressBar()
    let outcome = Benchmark(request) { bar.show($0, fraction: $1) }.run()
    bar.clear()

    let elapsed = started.duration(to: .now).components
    let report = BenchmarkReport(
        ceilings: outcome.ceilings, rows: outcome.rows, steps: outcome.steps, noise: outcome.noise,
        machine: .current(threads: workers.count), commit: RunFacts.commit(), flags: words,
        seconds: Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18)
    let folder = arguments.value("--report") ?? "reports"
    try AtomicFile.write(JSON.data(report), to: "\(folder)/bench.json")
    try AtomicFile.write(Data(report.markdown.utf8), to: "\(folder)/bench.md")

    let style = Style.standardOutput
    for section in [report.rowLines, report.stepLines] where section.count > 1 {
        Terminal.print(style.bold(section[0]))
        for line in section.dropFirst() { Terminal.print(line) }
        Terminal.print("")
    }
    Terminal.print(report.headline)
    Terminal.print(style.dim("Differences below \(Formatting.number(100 * report.noise)) % are noise."))
    Terminal.print(style.dim("The whole report: \(folder)/bench.md and \(folder)/bench.json"))
    return .held
}

func shape(_ text: String) throws(UsageError) -> (Int, Int) {
    let numbers = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 2, let batch = numbers[0], let sequence = numbers[1], (1...64).contains(batch),
        (1...1024).contains(sequence)
    else {
        throw UsageError("--shape needs a batch of 1 to 64 and a sequence of 1 to 1024, such as 4x64, not '\(text)'")
    }
    return (batch, sequence)
}
