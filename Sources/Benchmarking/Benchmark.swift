import Accuracy
import Foundation
import GPT2
import KernelCatalog
import Kernels
import Platform
import Reporting

/// What to time.
public struct BenchmarkRequest: Sendable {
    /// How to start the contestants; the first is the one that the report is about.
    public var contestants: [WorkerCommand]
    /// The shapes.
    public var shapes: [ModelShape]
    /// The kernels that there are.
    public var catalog: KernelCatalog
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
        contestants: [WorkerCommand], shapes: [ModelShape], catalog: KernelCatalog = .standard,
        operations: Set<String>? = nil, threads: [Int], steps: Bool = true, budget: Double = 0.15, processes: Int = 1
    ) {
        self.contestants = contestants
        self.shapes = shapes
        self.catalog = catalog
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
    /// Follows the work: what is under way, and the fraction done.
    public typealias Progress = (_ activity: String, _ fraction: Double) -> Void

    private let request: BenchmarkRequest
    private let progress: Progress

    /// A benchmark of `request`.
    public init(_ request: BenchmarkRequest, progress: @escaping Progress = { _, _ in }) {
        self.request = request
        self.progress = progress
    }

    /// Times everything asked for.
    ///
    /// - Throws: ``WorkerError`` when a contestant cannot be started or ends.
    public func run() throws -> BenchmarkOutcome {
        let crew = try Crew(request.contestants)
        let measured = try measure(crew)
        return outcome(crew, measured, request.steps ? try StepRace(request, progress).run() : [])
    }

    /// What was measured of kernels.
    struct Measured {
        /// The machine's limits, for each number of threads asked.
        let ceilings: [BenchmarkReport.MachineCeilings]
        var trials: [TimingTrial]
        /// The calls that would need too much memory, in words.
        let leftOut: [String]
        /// What else the machine did meanwhile, in words, if that was much.
        let disturbance: String?
    }

    /// Measures the machine's limits, and every kernel in up to three looks.
    func measure(_ crew: Crew) throws -> Measured {
        progress("the machine's limits", 0)
        var machine = MachineWatch(threads: request.threads)
        var (trials, leftOut) = try trials()
        for round in 0..<request.processes {
            if round > 0 { try crew.restart() }
            for index in trials.indices {
                machine.lookIfDue()
                let workload = trials[index].workload
                let done = Double(round) + Double(index) / Double(trials.count)
                progress(
                    "\(workload.shape) \(workload.name) \(workload.place)", 0.9 * done / Double(request.processes))
                try attempt(&trials[index], crew) { trial in
                    try trial.measure(crew, budget: request.budget / Double(request.processes))
                }
            }
        }
        let (margin, kernels) = (Self.margin(trials), trials.count)
        for _ in 2...3 {
            for index in trials.indices {
                machine.lookIfDue()
                progress("once more \(trials[index].workload.name)", 0.9)
                try attempt(&trials[index], crew) { trial in
                    _ = try trial.lookAgain(crew, margin: margin, among: kernels, budget: request.budget)
                }
            }
        }
        machine.lookIfDue(atEnd: true)
        return Measured(
            ceilings: machine.ceilings, trials: trials, leftOut: leftOut, disturbance: machine.load.warning)
    }

    /// A first contestant that ends is a finding; any other is an error.
    private func attempt(
        _ trial: inout TimingTrial, _ crew: Crew, _ body: (inout TimingTrial) throws -> Void
    ) throws {
        do {
            try body(&trial)
        } catch let error as WorkerError where error.worker == request.contestants[0].name {
            trial.fail(error.problem)
            try crew.restart()
        }
    }

    private func trials() throws -> ([TimingTrial], leftOut: [String]) {
        let reference = KernelSet(request.catalog.exact)
        var (trials, leftOut): ([TimingTrial], [String]) = ([], [])
        for shape in request.shapes {
            for workload in Workload.all(of: shape, operations: request.operations, catalog: request.catalog) {
                guard workload.demand.footprint <= Workload.most else {
                    leftOut.append(
                        "\(workload.shape) \(workload.name) \(workload.place): left out, it touches "
                            + Formatting.bytes(workload.demand.footprint))
                    continue
                }
                progress("truth of \(workload.shape) \(workload.name) \(workload.place)", 0)
                // It does not depend on the threads.
                let truth = try workload.truth(by: reference)
                trials += request.threads.map { threads in
                    TimingTrial(
                        workload, threads: threads, truth: truth, by: reference,
                        contestants: request.contestants.map(\.name))
                }
            }
        }
        return (trials, leftOut)
    }

    // MARK: - Judging

    /// The rows, every one with its verdicts.
    func rows(_ measured: Measured) -> [BenchmarkReport.Row] {
        let (trials, margin) = (measured.trials, Self.margin(measured.trials))
        var adjusted = trials.map { _ in request.contestants.map { _ in nil as Double? } }
        for contestant in request.contestants.indices {
            let family = trials.indices.compactMap { index in
                trials[index].p(contestant, margin: margin).map { (index, $0) }
            }
            for ((index, _), p) in zip(family, Statistics.holm(family.map(\.1))) { adjusted[index][contestant] = p }
        }
        let ceilings = Dictionary(uniqueKeysWithValues: zip(request.threads, measured.ceilings))
        return trials.indices.compactMap { index in
            ceilings[trials[index].threads].map {
                trials[index].row(margin: margin, adjusted: adjusted[index], under: $0)
            }
        }
    }

    /// How far two processes of the same code are apart: at least 2 %, below which nobody should care.
    static func margin(_ trials: [TimingTrial]) -> Double { max(0.02, sameCode(trials)) }

    private static func sameCode(_ trials: [TimingTrial]) -> Double {
        let apart = trials.compactMap(\.sameCode).map { exp(abs($0)) - 1 }
        return apart.isEmpty ? 0 : Statistics.quantile(apart, 0.95)
    }

    private static func noise(_ trials: [TimingTrial], _ rows: [BenchmarkReport.Row]) -> BenchmarkReport.Noise {
        let margin = margin(trials)
        // A slowdown is found when the lower end of its interval leaves the margin.
        let detectable = rows.compactMap { $0.timings[0].comparison }.map { (1 + margin) * $0.ratio / $0.low - 1 }
        return BenchmarkReport.Noise(
            margin: margin, sameCode: sameCode(trials), kernels: trials.count { $0.sameCode != nil },
            detectable: Statistics.median(detectable), worstDetectable: detectable.max() ?? 0)
    }

    func outcome(_ crew: Crew, _ measured: Measured, _ steps: [BenchmarkReport.TimedStep]) -> BenchmarkOutcome {
        let rows = rows(measured)
        return BenchmarkOutcome(
            contestants: crew.workers.map { .init(name: $0.command.name, title: $0.title) },
            ceilings: measured.ceilings, rows: rows, steps: steps, noise: Self.noise(measured.trials, rows),
            limits: [measured.disturbance].compactMap(\.self) + limits(rows) + measured.leftOut)
    }

    private func limits(_ rows: [BenchmarkReport.Row]) -> [String] {
        var limits = [CeilingProbe.reservation].compactMap(\.self) + request.contestants.compactMap(\.overruledChoice)
        for (index, contestant) in request.contestants.enumerated() {
            let reasons = rows.compactMap(\.timings[index].omission)
            for (reason, alike) in Dictionary(grouping: reasons, by: { $0 }).sorted(by: { $0.key < $1.key }) {
                limits.append("\(contestant.name): \(reason) (\(alike.count) of \(rows.count) rows)")
            }
        }
        let sampled = rows.count { row in
            row.timings.contains { $0.accuracy.map { $0.compared < $0.of } ?? false }
        }
        if sampled > 0 {
            limits.append(
                "Of large results a part was compared with the truth, edges and others at random: "
                    + "\(sampled) of \(rows.count) rows")
        }
        return limits
    }
}
