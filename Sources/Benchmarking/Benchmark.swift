import Accuracy
import Foundation
import Kernels
import Platform
import Reporting

/// What to time.
public struct BenchmarkRequest: Sendable {
    /// How to start the contestants; the first is the one that the report is about.
    public var contestants: [WorkerCommand]
    /// The shapes.
    public var shapes: [BenchmarkShape]
    /// The operations; all if nil.
    public var operations: Set<String>?
    /// The numbers of threads.
    public var threads: [Int]
    /// Whether whole training steps are timed too.
    public var steps: Bool
    /// Seconds to spend on each pair of contestants at each kernel.
    public var budget: Double
    /// How many processes of each contestant share it, one after the other.
    public var processes: Int

    /// A request.
    public init(
        contestants: [WorkerCommand], shapes: [BenchmarkShape], operations: Set<String>? = nil, threads: [Int],
        steps: Bool = true, budget: Double = 0.15, processes: Int = 1
    ) {
        self.contestants = contestants
        self.shapes = shapes
        self.operations = operations
        self.threads = threads
        self.steps = steps
        self.budget = budget
        self.processes = processes
    }
}

/// What was measured; the caller adds the machine and the command to make a report of it.
public struct BenchmarkOutcome: Sendable {
    /// The contestants, with what they call themselves.
    public var contestants: [BenchmarkReport.Contestant]
    /// The machine's limits.
    public var ceilings: [BenchmarkReport.MachineCeilings]
    /// The kernels.
    public var rows: [BenchmarkReport.Row]
    /// Training steps.
    public var steps: [BenchmarkReport.TimedStep]
    /// How well the run can tell times apart.
    public var noise: BenchmarkReport.Noise
    /// What was left out, and why.
    public var limits: [String]
}

/// Times kernels of several contestants in one interleaved run, and judges what they compute.
public struct Benchmark {
    private let request: BenchmarkRequest
    private let progress: ProgressHandler

    /// A benchmark of `request`.
    public init(_ request: BenchmarkRequest, progress: @escaping ProgressHandler = { _, _ in }) {
        self.request = request
        self.progress = progress
    }

    /// Times everything asked for.
    ///
    /// - Throws: ``WorkerError`` when a contestant cannot be started or ends.
    public func run() throws -> BenchmarkOutcome {
        let crew = try Crew(request.contestants)
        let (ceilings, trials) = try measure(crew)
        let steps = request.steps ? try StepRace(request, progress).run() : []
        return outcome(crew, ceilings, trials, steps)
    }

    /// Measures the machine's limits, and every kernel in up to three looks.
    func measure(_ crew: Crew) throws -> ([BenchmarkReport.MachineCeilings], [TimingTrial]) {
        progress("the machine's limits", 0)
        let probe = CeilingProbe()
        let ceilings = request.threads.map { probe.measure(threads: $0) }
        var trials = try self.trials(ceilings)
        for round in 0..<request.processes {
            if round > 0 { try crew.restart() }
            for index in trials.indices {
                let workload = trials[index].workload
                let done = Double(round) + Double(index) / Double(trials.count)
                progress(
                    "\(workload.shape) \(workload.kernel) \(workload.place)", 0.9 * done / Double(request.processes))
                try attempt(&trials[index], crew) { trial throws(WorkerError) in
                    try trial.measure(crew, budget: request.budget / Double(request.processes))
                }
            }
        }
        let margin = Self.noise(trials).margin
        for _ in 2...3 {
            for index in trials.indices {
                progress("once more \(trials[index].workload.kernel)", 0.9)
                try attempt(&trials[index], crew) { trial throws(WorkerError) in
                    _ = try trial.lookAgain(crew, margin: margin, budget: request.budget)
                }
            }
        }
        Self.judge(&trials, margin: margin)
        return (ceilings, trials)
    }

    /// A first contestant that ends is a finding; any other is an error.
    private func attempt(
        _ trial: inout TimingTrial, _ crew: Crew, _ body: (inout TimingTrial) throws(WorkerError) -> Void
    ) throws {
        do {
            try body(&trial)
        } catch let error where error.worker == request.contestants[0].name {
            trial.fail(error.problem)
            try crew.restart()
        }
    }

    private func trials(_ ceilings: [BenchmarkReport.MachineCeilings]) throws -> [TimingTrial] {
        var trials: [TimingTrial] = []
        for shape in request.shapes {
            var truths: [KernelTask: Truth] = [:]
            for (threads, ceilings) in zip(request.threads, ceilings) {
                for workload in try Workload.all(of: shape, operations: request.operations, threads: threads) {
                    // The truth does not depend on the threads.
                    var task = workload.task
                    task.threads = 1
                    progress("truth of \(workload.shape) \(workload.kernel) \(workload.place)", 0)
                    let truth = try truths[task] ?? Truth(task)
                    truths[task] = truth
                    trials.append(
                        TimingTrial(
                            workload, truth: truth, contestants: request.contestants.map(\.name), ceilings: ceilings))
                }
            }
        }
        return trials
    }

    // MARK: - Judging

    /// Gives every trial its verdicts.
    private static func judge(_ trials: inout [TimingTrial], margin: Double) {
        for index in trials.indices { trials[index].judge(margin: margin) }
        for contestant in 0..<(trials.first?.row.timings.count ?? 0) {
            let family = trials.indices.filter { trials[$0].row.timings[contestant].comparison != nil }
            let adjusted = Statistics.holm(family.map { trials[$0].row.timings[contestant].comparison?.p ?? 1 })
            for (index, p) in zip(family, adjusted) { trials[index].adjust(contestant, p: p) }
        }
    }

    /// How far two processes of the same code are apart: at least 2 %, below which nobody should care.
    static func noise(_ trials: [TimingTrial]) -> BenchmarkReport.Noise {
        let apart = trials.compactMap(\.sameCode).map { exp(abs($0)) - 1 }
        let sameCode = apart.isEmpty ? 0 : Statistics.quantile(apart, 0.95)
        let margin = max(0.02, sameCode)
        // A slowdown is found when the lower end of its interval leaves the margin.
        let detectable = trials.compactMap { $0.row.timings[0].comparison }.map {
            (1 + margin) * $0.ratio / $0.low - 1
        }
        return BenchmarkReport.Noise(
            margin: margin, sameCode: sameCode, kernels: apart.count, detectable: Statistics.median(detectable),
            worstDetectable: detectable.max() ?? 0)
    }

    func outcome(
        _ crew: Crew, _ ceilings: [BenchmarkReport.MachineCeilings], _ trials: [TimingTrial],
        _ steps: [BenchmarkReport.TimedStep]
    ) -> BenchmarkOutcome {
        BenchmarkOutcome(
            contestants: crew.workers.map { .init(name: $0.command.name, title: $0.title) }, ceilings: ceilings,
            rows: trials.map(\.row), steps: steps, noise: Self.noise(trials), limits: limits(trials))
    }

    private func limits(_ trials: [TimingTrial]) -> [String] {
        var limits: [String] = []
        for (index, contestant) in request.contestants.enumerated() {
            let missing = trials.filter { $0.row.timings[index].seconds == nil && !$0.row.timings[index].isWrong }
            for (note, rows) in Dictionary(grouping: missing, by: { $0.row.timings[index].note ?? "" })
                .sorted(by: { $0.key < $1.key }) where note != "the same code"
            {
                limits.append("\(contestant.name): \(note) (\(rows.count) of \(trials.count) rows)")
            }
        }
        let sampled = trials.count { trial in
            trial.row.timings.contains { $0.accuracy.map { $0.compared < $0.of } ?? false }
        }
        if sampled > 0 {
            limits.append(
                "Of large results a part was compared with the truth, edges and random rows, columns or heads: "
                    + "\(sampled) of \(trials.count) rows")
        }
        return limits
    }
}
