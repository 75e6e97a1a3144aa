import Accuracy
import Foundation
import Kernels
import Platform
import Reporting

/// One kernel at one shape on some threads, with all that was measured of it.
struct TimingTrial {
    /// Where one contestant stands.
    private struct Standing {
        let name: String
        /// The implementation that it has; nil until it was asked.
        var implementation: String?
        /// Why it is not timed; nil where it is.
        var untimed: BenchmarkReport.Timing.Untimed?
        var accuracy: BenchmarkReport.Accuracy?
        /// The first contestant against it; of the first, against itself.
        var samples: PairedSamples?
        /// How often it was given pairs.
        var looks = 0
        /// The verdict of a fresh process, where it had its say.
        var overruled: BenchmarkReport.SpeedVerdict?

        var isWrong: Bool { accuracy.map { !$0.isRight } ?? false }
    }

    /// The call.
    let workload: Workload
    /// The threads.
    let threads: Int
    /// What it should compute.
    private let truth: Truth
    private let reference: KernelSet<Double>
    private var standings: [Standing]

    /// The first look takes so many pairs at most.
    private static let most = 60
    /// The largest chance of a slowdown that is none, in a whole run.
    private static let significance = 0.05

    /// The fewest pairs of a look, where one takes so many seconds: enough for a sign test among many kernels; for an
    /// interval of the median; or, of calls that take long, for an interval of the mean.
    private static func least(_ seconds: Double, budget: Double) -> Int {
        seconds > 0.5 ? 2 : seconds > budget / 14 ? 6 : 14
    }

    init(_ workload: Workload, threads: Int, truth: Truth, by reference: KernelSet<Double>, contestants: [String]) {
        (self.workload, self.threads, self.truth, self.reference) = (workload, threads, truth, reference)
        standings = contestants.map { Standing(name: $0) }
    }

    // MARK: - Measuring

    /// Times the first contestant beside itself and every other, for about `budget` seconds each, and then judges what
    /// each computes.
    mutating func measure(_ crew: Crew, budget: Double) throws {
        let file = try workload.file(by: reference)
        let task = file.task(threads: threads)
        guard try prepare(crew, 0, task) else { return }
        _ = try crew.twin.prepare(task)
        try add(contest(crew.workers[0], crew.twin, task, budget: budget), 0)
        for index in 1..<crew.workers.count {
            if let reason = crew.workers[index].command.refusal(of: workload, threads: threads) {
                standings[index].untimed = .leftOut(reason)
                continue
            }
            guard try prepare(crew, index, task) else { continue }
            if crew.sharesCode(0, index), standings[index].implementation == standings[0].implementation {
                standings[index].untimed = .sameCode
                continue
            }
            try add(contest(crew.workers[0], crew.workers[index], task, budget: budget), index)
        }
        for index in crew.workers.indices where standings[index].looks > 0 && standings[index].accuracy == nil {
            try verify(crew.workers[index], index)
        }
    }

    /// Adds pairs of the first look.
    private mutating func add(_ samples: PairedSamples, _ index: Int) {
        standings[index].samples = standings[index].samples.map { $0.appending(samples) } ?? samples
        standings[index].looks = 1
    }

    /// Takes more pairs against the contestants at which the ratio is still open, among that many kernels; false if there
    /// are none.
    mutating func lookAgain(_ crew: Crew, margin: Double, among kernels: Int, budget: Double) throws -> Bool {
        let open = standings.indices.dropFirst().filter { index in
            guard let samples = standings[index].samples, standings[index].looks < 3 else { return false }
            switch samples.verdict(margin: margin) {
            case .unsure: return true
            // What Holm's correction asks of the least of the chances, so of any.
            case .slow: return (p(index, margin: margin) ?? 0) * Double(kernels) > Self.significance
            case .fast, .same: return false
            }
        }
        guard !open.isEmpty else { return false }
        let file = try workload.file(by: reference)
        let task = file.task(threads: threads)
        guard try prepare(crew, 0, task) else { return false }
        for index in open {
            guard try prepare(crew, index, task), let samples = standings[index].samples else { continue }
            // Enough for an interval as wide as the margin, within four times the first look's time.
            var contest = try Contest(crew.workers[0], crew.workers[index], task)
            let least = Self.least(contest.expected, budget: budget)
            try contest.measure(least: least, most: samples.morePairs(for: margin), budget: 4 * budget)
            standings[index].samples?.append(contest.samples)
            standings[index].looks += 1
        }
        return true
    }

    /// New pairs of the first contestant and the second, who were just started.
    func freshSamples(_ crew: Crew, budget: Double) throws -> PairedSamples {
        let file = try workload.file(by: reference)
        let task = file.task(threads: threads)
        _ = try crew.workers[0].prepare(task)
        _ = try crew.workers[1].prepare(task)
        return try contest(crew.workers[0], crew.workers[1], task, budget: budget)
    }

    private mutating func prepare(_ crew: Crew, _ index: Int, _ task: KernelTask) throws(WorkerError) -> Bool {
        switch try crew.workers[index].prepare(task) {
        case .ready(let implementation, _):
            standings[index].implementation = implementation
            return true
        case .unsupported(let reason):
            standings[index].untimed = .leftOut(reason)
            return false
        }
    }

    private func contest(
        _ first: Worker, _ second: Worker, _ task: KernelTask, budget: Double
    ) throws(WorkerError) -> PairedSamples {
        var contest = try Contest(first, second, task)
        let least = Self.least(contest.expected, budget: budget)
        try contest.measure(least: least, most: Self.most, budget: budget)
        return contest.samples
    }

    /// Compares what a worker computes now, after the timing, with the truth.
    private mutating func verify(_ worker: Worker, _ index: Int) throws {
        let file = try UnnamedFile()
        try worker.writeResults(to: file.path)
        do {
            standings[index].accuracy = try truth.accuracy(ofResultsAt: file.path)
        } catch {
            throw WorkerError(worker.command, error.description)
        }
    }

    /// Says that the first contestant could not be measured, such as one that ended.
    mutating func fail(_ problem: String) { standings[0].untimed = .failed(problem) }

    // MARK: - Judging

    /// The logarithm of the first contestant's time over its own in another process.
    var sameCode: Double? { standings[0].samples.map { log($0.ratio.median) } }

    /// The chance that a contestant's pairs show so many slowdowns of the first beyond the margin where there are none;
    /// nil where there is no comparison.
    func p(_ index: Int, margin: Double) -> Double? {
        guard isCompared(index), let samples = standings[index].samples else { return nil }
        return min(Double(standings[index].looks) * samples.p(margin: margin), 1)
    }

    private func isCompared(_ index: Int) -> Bool { !standings[0].isWrong && !standings[index].isWrong }

    /// Takes back a verdict of SLOW on the first contestant, with which a fresh process did not agree.
    mutating func overrule(_ index: Int) { standings[index].overruled = .unsure }

    /// The row of the report, where two processes of the same code are apart by up to `margin`, and with the chances
    /// adjusted for the number of kernels.
    func row(
        margin: Double, adjusted: [Double?], under ceilings: BenchmarkReport.MachineCeilings
    ) -> BenchmarkReport.Row {
        let demand = workload.demand
        return BenchmarkReport.Row(
            operation: workload.name.operation, pass: workload.name.pass.rawValue, shape: workload.shape,
            place: workload.place, sizes: workload.sizes, threads: threads, operations: demand.operations,
            bytes: demand.bytes, footprint: demand.footprint,
            ceiling: ceilings.ceiling(demand),
            timings: standings.indices.map { timing($0, margin: margin, p: adjusted[$0]) })
    }

    private func timing(_ index: Int, margin: Double, p: Double?) -> BenchmarkReport.Timing {
        let standing = standings[index]
        let outcome: BenchmarkReport.Timing.Outcome
        if let accuracy = standing.accuracy, standing.isWrong {
            outcome = .wrong(accuracy)
        } else if let untimed = standing.untimed {
            outcome = .untimed(untimed)
        } else if let samples = standing.samples, let accuracy = standing.accuracy {
            let own = standings.compactMap { $0.samples?.first }.flatMap { $0 }
            let times = index == 0 ? own : samples.second
            outcome = .timed(
                BenchmarkReport.Times(
                    seconds: Statistics.median(times),
                    spread: Statistics.quantile(times, 0.75) - Statistics.quantile(times, 0.25), samples: times.count),
                accuracy, p.map { comparison(standing, samples, margin: margin, p: $0) })
        } else {
            outcome = .untimed(.leftOut("it was not timed"))
        }
        return BenchmarkReport.Timing(
            name: standing.name, implementation: standing.implementation ?? standing.name, outcome: outcome)
    }

    /// SLOW needs both the interval and the adjusted chance.
    private func comparison(
        _ standing: Standing, _ samples: PairedSamples, margin: Double, p: Double
    ) -> BenchmarkReport.Comparison {
        let (ratio, verdict) = (samples.ratio, samples.verdict(margin: margin))
        return BenchmarkReport.Comparison(
            ratio: ratio.median, low: ratio.low, high: ratio.high, pairs: samples.count, looks: standing.looks,
            verdict: standing.overruled ?? (verdict == .slow && p > Self.significance ? .unsure : verdict), p: p)
    }
}
