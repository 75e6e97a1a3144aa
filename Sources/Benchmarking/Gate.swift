import Foundation
import GPT2
import Platform
import Reporting

/// What to compare before a change is merged.
public struct GateRequest: Sendable {
    /// The two builds' benchmarks: the change's first.
    public var head, base: WorkerCommand
    /// The shapes and threads.
    public var shapes: [ModelShape]
    public var threads: [Int]
    /// The operations; all if nil.
    public var operations: Set<String>?
    /// The operations that may become less accurate.
    public var accepted: Set<String>

    /// A request.
    public init(
        head: WorkerCommand, base: WorkerCommand, shapes: [ModelShape], threads: [Int],
        operations: Set<String>? = nil, accepted: Set<String> = []
    ) {
        self.head = head
        self.base = base
        self.shapes = shapes
        self.threads = threads
        self.operations = operations
        self.accepted = accepted
    }
}

/// Compares a change's kernels with those before it, both live in one run.
///
/// What fails: a kernel that is wrong, one that is less accurate, and one that is SLOW, if a fresh process says so again.
public struct Gate {
    private let request: GateRequest
    private let progress: Benchmark.Progress

    /// Seconds for each pair at each kernel: more than a benchmark's, because this decides.
    private static let budget = 0.6
    /// The pairs of processes that share the budget: where a process happens to lie in memory changes its times by more
    /// than a few pairs of blocks would scatter.
    package static let processes = 3

    /// A gate for `request`.
    public init(_ request: GateRequest, progress: @escaping Benchmark.Progress = { _, _ in }) {
        self.request = request
        self.progress = progress
    }

    /// Times and judges everything.
    ///
    /// - Throws: ``WorkerError`` when the base cannot be started or ends.
    public func run() throws -> (
        outcome: BenchmarkOutcome, findings: [BenchmarkReport.GateOutcome.Finding], remarks: [String]
    ) {
        let benchmark = Benchmark(
            BenchmarkRequest(
                contestants: [request.head, request.base], shapes: request.shapes, operations: request.operations,
                threads: request.threads, steps: false, budget: Self.budget, processes: Self.processes),
            progress: progress)
        let crew = try Crew([request.head, request.base])
        var measured = try benchmark.measure(crew)
        let margin = Benchmark.margin(measured.trials)
        var findings: [BenchmarkReport.GateOutcome.Finding] = []
        var remarks = [measured.disturbance].compactMap(\.self)
        for (index, row) in benchmark.rows(measured).enumerated() {
            let name =
                "\(row.kernel) (\(row.shape) \(row.place), \(row.threads == 1 ? "1 thread" : "\(row.threads) threads"))"
            func find(_ kind: BenchmarkReport.GateOutcome.Finding.Kind, _ text: String) {
                findings.append(.init(kind: kind, kernel: name, text: text))
            }
            guard row.timings[0].times != nil else {
                find(.wrong, row.timings[0].reason ?? "")
                continue
            }
            if let loss = Self.loss(row.timings[0].accuracy, row.timings[1].accuracy) {
                if request.accepted.contains(row.operation) {
                    remarks.append("\(name): \(loss); accepted")
                } else {
                    find(.inaccurate, loss)
                }
            }
            guard let comparison = row.timings[1].comparison else { continue }
            switch comparison.verdict {
            case .slow:
                progress("a fresh process, \(name)", 0.95)
                try crew.restart()
                if try confirms(measured.trials[index], crew, margin: margin) {
                    find(.slow, Self.change(comparison))
                } else {
                    measured.trials[index].overrule(1)
                    remarks.append("\(name): \(Self.change(comparison)), but a fresh process did not agree")
                }
            case .fast: remarks.append("\(name): \(Self.change(comparison))")
            case .same, .unsure: break
            }
        }
        findings.sort { Self.rank($0.kind) < Self.rank($1.kind) }
        return (benchmark.outcome(crew, measured, []), findings, remarks)
    }

    private static func rank(_ kind: BenchmarkReport.GateOutcome.Finding.Kind) -> Int {
        BenchmarkReport.GateOutcome.Finding.Kind.allCases.firstIndex(of: kind) ?? 0
    }

    /// Whether new processes find the same trial SLOW too.
    private func confirms(_ trial: TimingTrial, _ crew: Crew, margin: Double) throws -> Bool {
        try trial.freshSamples(crew, budget: 2 * Self.budget).agrees(margin: margin)
    }

    /// A change of time in words: `+8.1% [+7.4%, +8.9%]`.
    private static func change(_ comparison: BenchmarkReport.Comparison) -> String {
        func signed(_ ratio: Double) -> String { (ratio >= 1 ? "+" : "") + Formatting.percent(ratio - 1) }
        return "time \(signed(comparison.ratio)) [\(signed(comparison.low)), \(signed(comparison.high))]"
    }

    // MARK: - Accuracy

    /// How the head is less accurate than the base on the same inputs; nil if it is not, beyond chance.
    ///
    /// Two right kernels that sum in different orders make errors that differ by chance. Of n independent errors the
    /// logarithm of the ratio of two root mean squares has standard deviation 1/√n; six of them, or a tenth, is allowed.
    /// The largest of n scatters by a factor of about 1/(2 ln n) (Gumbel's distribution); 14 of them are allowed.
    static func loss(_ head: BenchmarkReport.Accuracy?, _ base: BenchmarkReport.Accuracy?) -> String? {
        guard let head, let base else { return nil }
        let n = Double(max(head.compared, 2))
        let typical = log(head.typical / base.typical)
        if typical > max(log(1.1), 6 / n.squareRoot()) {
            return "typical error \(Formatting.number(base.typical)) → \(Formatting.number(head.typical)) of its bound"
        }
        if head.worst > base.worst * (1 + 7 / log(n)) {
            return "largest error \(Formatting.number(base.worst)) → \(Formatting.number(head.worst)) of its bound"
        }
        return nil
    }
}
