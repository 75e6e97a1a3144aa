import Benchmarking
import Foundation
import GPT2
import KernelCatalog
import Kernels
import Platform
import Reporting
import Terminal

/// `bench`: times kernels and writes the report.
enum BenchMode {
    private static let syntax = CommandSyntax(
        "bench",
        summary:
            "Times every GPT-2 kernel beside others in one interleaved run, checks what it computed, and says how near it comes to the machine's limits.",
        flags: [
            Flag(
                "--kernels", "A,B",
                help: "The kernels to time and those to compare them with; fast,reference if not given."),
            Flag(
                "--only", "OP,...", .many,
                help: "Time these operations alone, such as matmul,gelu; step is the whole training step."),
            Flag(
                "--shapes", "SHAPE,...", .many,
                help:
                    "Models and batches, such as 124M:4x64,124M:1x1024,1558M:1x64, and odd for sizes that no block divides; 124M:1x64 if not given."
            ),
            Flag("--threads", "N,...", .many, help: "Numbers of threads; 1 and all cores if not given."),
            Flag(
                "--budget", "SECONDS",
                help: "Seconds for each pair of contestants at each kernel; 0.15 if not given."),
            Flag(
                "--peers", "PEER,...", .many,
                help:
                    "Time these too: \(WorkerCommand.peerNames.joined(separator: ", ")), or a shared library such as ./libmine.so."
            ),
            Flag("--from", "FILE", help: "Draw the report of a bench.json again, and time nothing."),
            Flag("--report", "DIR", help: "Where bench.md, bench.json and the drawings go; reports if not given."),
        ],
        examples: [
            ("bench", "Time the fast kernels beside the reference."),
            ("bench --peers torch", "And beside PyTorch, with the whole training step."),
            ("bench --only matmul --shapes 1558M:1x64,odd --threads 1", "Time one operation on one thread."),
        ])

    static func run(_ words: [String]) throws -> ExitCode {
        let arguments = try syntax.parse(words)
        if let file = arguments.value("--from") {
            let report = try saved(file)
            let beside = (file as NSString).deletingLastPathComponent
            let folder = try OutputFolder(arguments.value("--report") ?? (beside.isEmpty ? "." : beside))
            return try publish(report, to: folder)
        }
        let folder = try OutputFolder(arguments.value("--report") ?? "reports")
        let started = ContinuousClock.now
        let request = try request(arguments)
        let bar = ProgressBar()
        let outcome = try Benchmark(request) { bar.show($0, fraction: $1) }.run()
        bar.clear()
        let report = BenchmarkReport(
            outcome, kind: .bench, threads: request.threads.max() ?? 1, command: ["bench"] + words,
            seconds: started.secondsToNow)
        return try publish(report, to: folder)
    }

    /// Shows a report and writes it to `folder`; says how the command ends.
    private static func publish(_ report: BenchmarkReport, to folder: OutputFolder) throws -> ExitCode {
        show(report)
        try folder.write(report.files())
        Terminal.print(
            Style.standardOutput.dim("The whole report: \(folder("bench.md")) and \(folder("bench.json"))"))
        return report.holds ? .held : .didNotHold
    }

    /// The report in the file.
    private static func saved(_ file: String) throws -> BenchmarkReport {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw UsageError("--from: there is no \(file); bench writes one to reports/bench.json")
        }
        guard let report = try? JSON.report(BenchmarkReport.self, from: data) else {
            throw UsageError(
                "--from: \(file) is not a report of this version of bench (form \(BenchmarkReport.currentSchema)); "
                    + "run bench again")
        }
        return report
    }

    private static func show(_ report: BenchmarkReport) {
        let style = Style.standardOutput
        for section in report.kernelSections + report.stepSections {
            Terminal.print(style.bold(section[0]))
            for line in section.dropFirst() { Terminal.print(line.contains("WRONG") ? style.red(line) : line) }
            Terminal.print("")
        }
        for line in report.contestantLines + report.ceilingLines + report.noiseLines + report.limitLines {
            Terminal.print(style.dim(line))
        }
        Terminal.print("")
        for line in report.headlineLines + report.comparisonLines.flatMap(BenchmarkReport.wrapped) {
            Terminal.print(style.bold(line))
        }
        Terminal.print(style.dim("limit: how near to the machine's; error: largest, as a fraction of its bound."))
    }

    private static func request(_ arguments: CommandArguments) throws -> BenchmarkRequest {
        let names = arguments.has("--kernels") ? arguments.list("--kernels") : ["fast", "reference"]
        guard (1...2).contains(names.count) else {
            throw UsageError("--kernels needs one set or two, such as fast,reference")
        }
        for name in names { _ = try KernelCatalog.standard.set(named: name) }
        var contestants = names.map { WorkerCommand.kernels($0) }
        for name in arguments.list("--peers") { contestants.append(try WorkerCommand.peer(name)) }
        let only = arguments.list("--only")
        var request = BenchmarkRequest(
            contestants: contestants, shapes: try shapes(arguments, otherwise: "124M:1x64"),
            operations: only.isEmpty ? nil : try KernelCatalog.standard.checkedOperations(only.filter { $0 != "step" }),
            threads: try threads(arguments), steps: only.isEmpty || only.contains("step"))
        if let budget = try budget(arguments) { request.budget = budget }
        return request
    }

    /// The seconds of `--budget`, if it is given.
    private static func budget(_ arguments: CommandArguments) throws(UsageError) -> Double? {
        guard let text = arguments.value("--budget") else { return nil }
        guard let seconds = Double(text), seconds > 0, seconds.isFinite else {
            throw UsageError("--budget needs a number of seconds above 0, such as 0.5, not '\(text)'")
        }
        return seconds
    }

    /// The shapes of `--shapes`, or those of `standard`.
    static func shapes(_ arguments: CommandArguments, otherwise standard: String) throws -> [ModelShape] {
        let names = arguments.list("--shapes")
        return try (names.isEmpty ? standard.split(separator: ",").map(String.init) : names).map {
            try ModelShape($0)
        }
    }

    /// The numbers of `--threads`, or 1 and all cores.
    static func threads(_ arguments: CommandArguments) throws -> [Int] {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        guard arguments.has("--threads") else { return cores == 1 ? [1] : [1, cores] }
        let numbers = try arguments.list("--threads").map { try CommandArguments.threads($0, upTo: Workers.most) }
        return Set(numbers).sorted()
    }
}
