import GPT2
import Platform
import Reporting

/// Times whole training steps of the contestants, in turn.
struct StepRace {
    private let request: BenchmarkRequest
    private let progress: ProgressHandler

    /// The rounds of a contestant that runs alone, and of several: theirs make an interval, which four quartets are the
    /// least for.
    private static let rounds = (alone: 2...8, several: 8...20)
    /// The seconds for the steps of each shape, where the fewest rounds take less.
    private static let budget = 12.0

    init(_ request: BenchmarkRequest, _ progress: @escaping ProgressHandler) {
        self.request = request
        self.progress = progress
    }

    /// One step for each shape that has any, on the most threads.
    func run() throws(WorkerError) -> [BenchmarkReport.TimedStep] {
        var steps: [BenchmarkReport.TimedStep] = []
        for shape in request.shapes where shape.hasStep {
            progress("training step \(shape.name)", 0.95)
            steps.append(try run(shape, threads: request.threads.max() ?? 1))
        }
        return steps
    }

    private func run(_ shape: ModelShape, threads: Int) throws(WorkerError) -> BenchmarkReport.TimedStep {
        // Fresh processes: the most memory that they use is then that of the step.
        var runners: [(runner: Runner?, note: String?)] = []
        let task = shape.step(threads: threads)
        for command in request.contestants {
            if let reason = command.stepRefusal {
                runners.append((nil, reason))
                continue
            }
            let worker = try Worker(command)
            switch try worker.prepare(task) {
            case .ready(_, let note): runners.append((try Runner(worker), note))
            case .unsupported(let reason): runners.append((nil, reason))
            }
        }
        let start = ContinuousClock.now
        let limits = runners.count { $0.runner != nil } > 1 ? Self.rounds.several : Self.rounds.alone
        var rounds = 0
        while rounds < limits.lowerBound
            || (rounds < limits.upperBound && start.duration(to: .now) < .seconds(Self.budget))
        {
            // There and back, so that drift cancels.
            let order = rounds.isMultiple(of: 2) ? Array(runners.indices) : runners.indices.reversed()
            for index in order { try runners[index].runner?.step() }
            rounds += 1
        }
        var timings: [BenchmarkReport.StepTiming] = []
        for (command, (runner, note)) in zip(request.contestants, runners) {
            timings.append(
                BenchmarkReport.StepTiming(
                    name: command.name, note: note, times: try runner?.times(tokens: task.batch * task.sequence),
                    comparison: timings.isEmpty ? nil : runner.flatMap { runners[0].runner?.comparison(with: $0) }))
        }
        let c = shape.configuration
        return BenchmarkReport.TimedStep(
            shape: shape.name,
            description: "\(c.layers) layers of \(c.channels) channels, \(c.heads) heads, "
                + "\(task.batch) × \(task.sequence) tokens",
            threads: threads, timings: timings)
    }
}

/// One contestant's steps.
private final class Runner {
    private let worker: Worker
    private var parts: [[Double]] = [[], [], []]
    private var kernels: [String: [Double]] = [:]

    /// Warms the worker up with a step that does not count: it makes the optimizer's memory.
    init(_ worker: Worker) throws(WorkerError) {
        self.worker = worker
        _ = try worker.step()
    }

    func step() throws(WorkerError) {
        let times = try worker.step()
        for (index, time) in [times.forward, times.backward, times.update].enumerated() { parts[index].append(time) }
        for (kernel, time) in times.kernels { kernels[kernel, default: []].append(time) }
    }

    private var totals: [Double] { parts[0].indices.map { parts[0][$0] + parts[1][$0] + parts[2][$0] } }

    /// This contestant's time over the other's, step by step.
    func comparison(with other: Runner) -> BenchmarkReport.Comparison {
        var samples = PairedSamples()
        let (a, b) = (totals, other.totals)
        // Two rounds, there and back, are a quartet.
        for i in stride(from: 0, to: a.count - 1, by: 2) { samples.add(a[i], b[i], b[i + 1], a[i + 1]) }
        let ratio = samples.ratio
        return BenchmarkReport.Comparison(
            ratio: ratio.median, low: ratio.low, high: ratio.high, pairs: samples.count, looks: 1, verdict: .unsure,
            p: 1)
    }

    func times(tokens: Int) throws(WorkerError) -> BenchmarkReport.StepTimes {
        let total = Statistics.median(totals)
        return BenchmarkReport.StepTimes(
            forward: Statistics.median(parts[0]), backward: Statistics.median(parts[1]),
            update: Statistics.median(parts[2]), total: total,
            spread: Statistics.quantile(totals, 0.75) - Statistics.quantile(totals, 0.25),
            tokensPerSecond: Double(tokens) / total, peakMemory: try worker.peakMemory(), samples: totals.count,
            shares: kernels.map { .init(kernel: $0, seconds: Statistics.median($1)) }
                .sorted { $0.seconds > $1.seconds })
    }
}
