import Accuracy
import Foundation
import Kernels
import Reporting

/// One kernel at one shape on some threads, with all that was measured of it.
struct TimingTrial {
    /// The call.
    let workload: Workload
    /// What it should compute.
    private let truth: Truth
    /// The row of the report, completed by ``judge(margin:)``.
    private(set) var row: BenchmarkReport.Row
    /// The first contestant against itself, then against each other; nil where there was no contest.
    private var contests: [PairedSamples?]
    /// How often each was given pairs.
    private var looks: [Int]

    /// The first look takes so many pairs at most, and at least so many where a call is quick.
    private static let (most, least) = (60, 10)

    init(
        _ workload: Workload, truth: Truth, contestants: [String], ceilings: BenchmarkReport.MachineCeilings
    ) {
        self.workload = workload
        self.truth = truth
        let cost = workload.call.cost
        let ceiling = ceilings.ceiling(
            operations: cost.operations, bytes: cost.bytes, footprint: workload.call.footprint)
        row = BenchmarkReport.Row(
            operation: workload.kernel.operation, pass: workload.kernel.pass.rawValue, shape: workload.shape,
            place: workload.place, sizes: workload.call.sizes, threads: workload.task.threads,
            operations: cost.operations, bytes: cost.bytes, footprint: workload.call.footprint,
            ceilingSeconds: ceiling.seconds, boundBy: ceiling.bound, timings: contestants.map { .init(name: $0) })
        contests = contestants.map { _ in nil }
        looks = contestants.map { _ in 0 }
    }

    // MARK: - Measuring

    /// Times the first contestant beside itself and every other, for about `budget` seconds each, and then judges what
    /// each computes.
    mutating func measure(_ crew: Crew, budget: Double) throws(WorkerError) {
        guard try prepare(crew, 0) else { return }
        let task = workload.task
        _ = try crew.twin.prepare(task)
        try add(contest(crew.workers[0], crew.twin, budget: budget), 0)
        for index in 1..<crew.workers.count {
            if let reason = crew.workers[index].command.refusal(of: workload) {
                row.timings[index].note = reason
                continue
            }
            guard try prepare(crew, index) else { continue }
            if crew.sharesCode(0, index), row.timings[index].implementation == row.timings[0].implementation {
                row.timings[index].note = "the same code"
                continue
            }
            try add(contest(crew.workers[0], crew.workers[index], budget: budget), index)
        }
        for index in crew.workers.indices where looks[index] > 0 && row.timings[index].accuracy == nil {
            try verify(crew.workers[index], index)
        }
    }

    /// Adds pairs of the first look.
    private mutating func add(_ samples: PairedSamples, _ index: Int) {
        if looks[index] == 1 { contests[index]?.append(samples) } else { contests[index] = samples }
        looks[index] = 1
    }

    /// Takes more pairs against the contestants at which the ratio is still open; false if there are none.
    mutating func lookAgain(_ crew: Crew, margin: Double, budget: Double) throws(WorkerError) -> Bool {
        var open: [Int] = []
        for index in contests.indices.dropFirst() {
            guard let samples = contests[index], samples.count >= 6, looks[index] < 3,
                samples.verdict(margin: margin) == .unsure
            else { continue }
            open.append(index)
        }
        guard !open.isEmpty, try prepare(crew, 0) else { return false }
        for index in open {
            guard try prepare(crew, index), let samples = contests[index] else { continue }
            // Enough for an interval as wide as the margin, within four times the first look's time.
            var contest = try Contest(
                crew.workers[0], crew.workers[index], workload.task)
            try contest.measure(least: Self.least, most: samples.morePairs(for: margin), budget: 4 * budget)
            contests[index]?.append(contest.samples)
            looks[index] += 1
        }
        return true
    }

    /// New pairs of the first contestant and the second, who were just started.
    func freshSamples(_ crew: Crew, budget: Double) throws(WorkerError) -> PairedSamples {
        _ = try crew.workers[0].prepare(workload.task)
        _ = try crew.workers[1].prepare(workload.task)
        return try contest(crew.workers[0], crew.workers[1], budget: budget)
    }

    private mutating func prepare(_ crew: Crew, _ index: Int) throws(WorkerError) -> Bool {
        switch try crew.workers[index].prepare(workload.task) {
        case .ready(let implementation, _):
            row.timings[index].implementation = implementation
            return true
        case .unsupported(let reason):
            row.timings[index].note = reason
            return false
        }
    }

    private func contest(
        _ first: WorkerProcess, _ second: WorkerProcess, budget: Double
    ) throws(WorkerError) -> PairedSamples {
        var contest = try Contest(first, second, workload.task)
        // Of calls that take long, a few pairs have to do.
        let quartet = contest.expected
        let least = quartet > 0.5 ? 1 : quartet > budget / 4 ? 3 : Self.least
        try contest.measure(least: least, most: Self.most, budget: budget)
        return contest.samples
    }

    /// Compares what a worker computes now, after the timing, with the truth.
    private mutating func verify(_ worker: WorkerProcess, _ index: Int) throws(WorkerError) {
        let path = NSTemporaryDirectory() + "plumbline-results-\(UUID().uuidString)"
        defer { unlink(path) }
        try worker.writeResults(to: path)
        do {
            row.timings[index].accuracy = BenchmarkReport.Accuracy(try truth.accuracy(ofResultsAt: path))
        } catch {
            throw WorkerError(worker.command, error.description)
        }
    }

    // MARK: - Judging

    /// The logarithm of the first contestant's time over its own in another process.
    var sameCode: Double? { contests[0].map { log($0.ratio.median) } }

    /// Completes the row, where two processes of the same code are apart by up to `margin`.
    mutating func judge(margin: Double) {
        let own = contests.compactMap { $0?.first }.flatMap { $0 }
        for index in contests.indices {
            guard !row.timings[index].isWrong else {
                row.timings[index].note = "wrong: \(row.timings[index].accuracy?.finding ?? "")"
                continue
            }
            guard let samples = contests[index] else { continue }
            let times = index == 0 ? own : samples.second
            row.timings[index].seconds = Statistics.median(times)
            row.timings[index].spread = Statistics.quantile(times, 0.75) - Statistics.quantile(times, 0.25)
            row.timings[index].samples = times.count
            guard !row.timings[0].isWrong else { continue }
            let ratio = samples.ratio
            let slower = samples.logarithms.count { $0 > log(1 + margin) }
            row.timings[index].comparison = BenchmarkReport.Comparison(
                ratio: ratio.median, low: ratio.low, high: ratio.high, pairs: samples.count, looks: looks[index],
                verdict: samples.verdict(margin: margin),
                p: min(Double(looks[index]) * Statistics.signTest(slower, of: samples.count), 1))
        }
    }

    /// Takes `p`, adjusted for the number of kernels: SLOW needs both the interval and this.
    mutating func adjust(_ index: Int, p: Double) {
        row.timings[index].comparison?.p = p
        if p > 0.05, row.timings[index].comparison?.verdict == .slow {
            row.timings[index].comparison?.verdict = .unsure
        }
    }

    /// Sets the verdict on the first contestant beside another, after a fresh process had its say.
    mutating func set(_ verdict: BenchmarkReport.SpeedVerdict, _ index: Int) {
        row.timings[index].comparison?.verdict = verdict
    }

    /// Says that the first contestant could not be measured, such as one that ended.
    mutating func fail(_ note: String) { row.timings[0].note = note }
}
