import Accuracy
import Benchmarking
import Foundation
import KernelCatalog
import Kernels
import Platform
import Reporting

/// Asks the gate's way of deciding what it finds where the answer is known: slowdowns of 0, 5 and 10 % are put into one of
/// two workers of the same code.
public struct TimingSelfTest {
    /// What came of the trials of one slowdown.
    public struct SlowdownFinding: Codable, Sendable {
        /// The slowdown put in, such as 0.05.
        public let injected: Double
        /// The trials.
        public let trials: Int
        /// The verdicts: how many of each.
        public let slow, same, fast, unsure: Int
        /// The middle of the slowdowns measured, and their robust standard deviation.
        public let measured, deviation: Double
        /// The middle number of pairs of a trial.
        public let pairs: Int
    }

    /// What all trials showed.
    public struct Outcome: Codable, Sendable {
        /// A finding for each slowdown.
        public let results: [SlowdownFinding]
        /// The margin, from the same code in two processes.
        public let margin: Double
        /// How many pairs of processes said so.
        public let kernels: Int

        /// At least 95 of 100 slowdowns of 5 % and more found, and at most 1 of 100 found where there is none.
        public var holds: Bool {
            results.allSatisfy { result in
                result.injected == 0
                    ? result.slow * 100 <= result.trials : result.slow * 100 >= 95 * result.trials
            }
        }
    }

    private let command: WorkerCommand
    private let trials: Int
    private let progress: ProgressHandler

    /// The slowdowns.
    private static let injections = [0, 0.05, 0.10]
    /// Seconds for the first look at a pair; a second and third may take four times as long.
    private static let budget = 0.2
    /// The calls, short ones of several kernels.
    private static let calls: [(kernel: any Kernel<Float>.Type, sizes: [String: Int])] = [
        (GELU.Forward<Float>.self, ["N": 4096]),
        (LayerNorm.Forward<Float>.self, ["B": 1, "T": 64, "C": 384]),
        (Matmul.Forward<Float>.self, ["B": 1, "T": 64, "C": 96, "OC": 96]),
        (Residual.Forward<Float>.self, ["N": 49152]),
        (Softmax.Forward<Float>.self, ["B": 1, "T": 4, "V": 1000, "Vp": 1024]),
        (AdamW.Update<Float>.self, ["N": 8192, "t": 10]),
    ]

    /// A self-test of `trials` trials for each slowdown, with the kernels of `command`.
    public init(_ command: WorkerCommand, trials: Int = 100, progress: @escaping ProgressHandler = { _, _ in }) {
        self.command = command
        self.trials = trials
        self.progress = progress
    }

    /// Makes all trials.
    ///
    /// - Throws: ``WorkerError`` when a worker cannot be started or ends.
    public func run() throws -> Outcome {
        // The margin, as a run of the gate finds it: each kernel in processes of the same code.
        var apart: [Double] = []
        for round in 0..<4 {
            progress("noise of the same code", 0)
            for number in Self.calls.indices {
                let samples = try samples(number, 0, seed: UInt64(round), budget: Self.budget)
                apart.append(exp(abs(log(samples.ratio.median))) - 1)
            }
        }
        let margin = max(0.02, Statistics.quantile(apart, 0.95))
        var results: [SlowdownFinding] = []
        for (number, injected) in Self.injections.enumerated() {
            var verdicts: [BenchmarkReport.SpeedVerdict] = []
            var measured: [Double] = []
            var pairs: [Double] = []
            for trial in 0..<trials {
                progress(
                    "trial \(trial + 1) of \(trials), slowdown of \(Formatting.percent(injected))",
                    (Double(number) + Double(trial) / Double(trials)) / Double(Self.injections.count))
                let (samples, verdict) = try decide(
                    trial % Self.calls.count, injected, margin: margin, seed: UInt64(trial))
                verdicts.append(verdict)
                measured.append(samples.ratio.median - 1)
                pairs.append(Double(samples.count))
            }
            func count(_ verdict: BenchmarkReport.SpeedVerdict) -> Int { verdicts.count { $0 == verdict } }
            results.append(
                SlowdownFinding(
                    injected: injected, trials: trials, slow: count(.slow), same: count(.same), fast: count(.fast),
                    unsure: count(.unsure), measured: Statistics.median(measured),
                    deviation: Statistics.deviation(measured), pairs: Int(Statistics.median(pairs))))
        }
        return Outcome(results: results, margin: margin, kernels: apart.count)
    }

    /// The gate's decision: up to three looks, and SLOW only if fresh processes agree.
    private func decide(
        _ call: Int, _ injected: Double, margin: Double, seed: UInt64
    ) throws -> (PairedSamples, BenchmarkReport.SpeedVerdict) {
        var samples = try samples(call, injected, seed: seed, budget: Self.budget)
        for _ in 2...3 where samples.verdict(margin: margin) == .unsure {
            samples.append(try self.samples(call, injected, seed: seed, budget: 4 * Self.budget))
        }
        let verdict = samples.verdict(margin: margin)
        guard verdict == .slow else { return (samples, verdict) }
        let fresh = try self.samples(call, injected, seed: seed, budget: 2 * Self.budget)
        return (samples, fresh.agrees(margin: margin) ? .slow : .unsure)
    }

    /// Pairs from several pairs of new processes, as the gate takes them.
    private func samples(_ number: Int, _ injected: Double, seed: UInt64, budget: Double) throws -> PairedSamples {
        let (kernel, sizes) = Self.calls[number]
        let file = try CallFile(
            kernel, DrawnCall(sizes: sizes, seed: seed), by: KernelSet(KernelCatalog.standard.exact))
        var samples = PairedSamples()
        for _ in 0..<Gate.processes {
            let (a, b) = (try Worker(command), try Worker(command))
            try a.prepare(file.task)
            try b.prepare(file.task)
            var contest = try Contest(a, b, file.task, slowdown: injected)
            try contest.measure(least: 10, most: 400, budget: budget / Double(Gate.processes))
            samples.append(contest.samples)
        }
        return samples
    }
}
