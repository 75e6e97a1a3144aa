import FastKernels
import Foundation
import GPT2
import KernelCatalog
import Kernels
import Reporting
import Tensors

/// What to time.
public struct BenchmarkRequest {
    /// The kernels, and those to compare them with.
    public var candidate, base: KernelSet<Float>
    /// The operations; all if empty.
    public var operations: Set<String>
    /// B and T.
    public var batch, sequence: Int
    /// Seconds to spend on each kernel.
    public var budget: Double

    /// A request to time `candidate` beside `base`.
    public init(
        candidate: KernelSet<Float>, base: KernelSet<Float>, operations: Set<String> = [], batch: Int = 1,
        sequence: Int = 64, budget: Double = 0.5
    ) {
        self.candidate = candidate
        self.base = base
        self.operations = operations
        self.batch = batch
        self.sequence = sequence
        self.budget = budget
    }
}

/// What was timed; the caller adds the machine and the flags to make a report of it.
public struct BenchmarkOutcome: Sendable {
    /// The machine's limits.
    public let ceilings: BenchmarkReport.Ceilings
    /// The kernels.
    public let rows: [BenchmarkReport.Row]
    /// Training steps.
    public let steps: [BenchmarkReport.Step]
    /// The 95th percentile of how far a kernel's speed-up over itself is from 1.
    public let noise: Double
}

/// Times kernels in pairs.
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
    public func run() -> BenchmarkOutcome {
        let workloads = Workload.gpt2(B: request.batch, T: request.sequence).filter {
            request.operations.isEmpty || request.operations.contains($0.kernel.name.operation)
        }
        progress("ceilings", 0)
        let ceilings = measureCeilings()
        var rows: [BenchmarkReport.Row] = []
        var noise: [Double] = []
        for (index, workload) in workloads.enumerated() {
            progress("\(workload.kernel.name) \(workload.shape)", Double(index) / Double(workloads.count + 2))
            let (row, self_) = time(workload, workload.kernel, ceilings)
            rows.append(row)
            noise += self_
        }
        progress("training step", Double(workloads.count) / Double(workloads.count + 2))
        let steps = request.operations.isEmpty ? timeSteps() : []
        return BenchmarkOutcome(
            ceilings: ceilings, rows: rows, steps: steps, noise: Statistics.quantile(noise.map(abs), 0.95))
    }

    // MARK: - Kernels

    /// Times a kernel, and the logarithm of its speed-up over itself.
    private func time<K: Kernel<Float>>(
        _ workload: Workload, _ kernel: K.Type, _ ceilings: BenchmarkReport.Ceilings
    ) -> (BenchmarkReport.Row, [Double]) {
        let (candidate, base) = (request.candidate, request.base)
        let prepared = PreparedCall<K>(workload.sizes)
        let beside = PreparedCall<K>(workload.sizes)
        let names = (candidate.implementation(of: kernel) ?? "none", base.implementation(of: kernel) ?? "none")
        // First what it computes, from results of 0, then how fast.
        candidate.run(prepared.call)
        base.run(beside.call)
        let difference = Self.difference(prepared.results, beside.results)
        let hasBase = names.0 != names.1
        let itself = PairedSamples.measure(
            least: 2, most: 20, budget: hasBase ? request.budget / 3 : request.budget,
            candidate: { candidate.run(prepared.call) }, base: { candidate.run(beside.call) })
        let pairs =
            hasBase
            ? PairedSamples.measure(
                least: 2, budget: request.budget, candidate: { candidate.run(prepared.call) },
                base: { base.run(beside.call) }) : itself
        let cost = prepared.call.cost
        let median = Statistics.median(pairs.candidate)
        let computeTime = Double(cost.operations) / (ceilings.gflops * 1e9)
        let memoryTime = Double(cost.bytes) / (ceilings.gbps * 1e9)
        let speedup = hasBase ? pairs.speedup : nil
        let row = BenchmarkReport.Row(
            operation: K.name.operation, pass: K.name.pass.rawValue, shape: workload.shape, sizes: workload.sizesText,
            implementation: names.0, base: hasBase ? names.1 : nil, seconds: median,
            spread: Statistics.quantile(pairs.candidate, 0.75) - Statistics.quantile(pairs.candidate, 0.25),
            baseSeconds: hasBase ? Statistics.median(pairs.base) : nil, speedup: speedup?.median,
            speedupLow: speedup?.low, speedupHigh: speedup?.high, pairs: pairs.base.count,
            gflops: Double(cost.operations) / median / 1e9, gbps: Double(cost.bytes) / median / 1e9,
            roofline: max(computeTime, memoryTime) / median, boundBy: computeTime > memoryTime ? "compute" : "memory",
            difference: hasBase ? difference : nil)
        return (row, [log(itself.speedup.median)])
    }

    /// The largest difference of two kernels' results, relative to the largest magnitude of each result; NaN counts.
    private static func difference(_ a: [MutableView<Float>], _ b: [MutableView<Float>]) -> Double {
        zip(a, b).map { a, b in
            let scale = b.buffer.reduce(0) { max($0, abs(Double($1))) }
            var worst = 0.0
            for i in 0..<a.count where a[i] != b[i] {
                let difference = abs(Double(a[i]) - Double(b[i]))
                worst = difference <= worst ? worst : difference
            }
            return worst == 0 ? 0 : worst / scale
        }.max() ?? 0
    }

    // MARK: - Ceilings

    private func measureCeilings() -> BenchmarkReport.Ceilings {
        let workers = request.candidate.workers
        let sink = Tensor<Float>(repeating: 0, count: workers.count)
        // 64 MB each: beyond the caches.
        let a = Tensor<Float>(repeating: 0, count: 1 << 24)
        let b = Tensor<Float>(repeating: 1, count: 1 << 24)
        let c = Tensor<Float>(repeating: 2, count: 1 << 24)
        let best = (0..<7).reduce(into: (gflops: 0.0, gbps: 0.0)) { best, _ in
            var operations = 0
            let multiplying = seconds {
                operations = Ceilings.multiplyAdd(rounds: 4_000_000, workers, into: sink.view)
            }
            var bytes = 0
            let moving = seconds { bytes = Ceilings.triad(a.view, View(b.view), View(c.view), workers) }
            best.gflops = max(best.gflops, Double(operations) / multiplying / 1e9)
            best.gbps = max(best.gbps, Double(bytes) / moving / 1e9)
        }
        return BenchmarkReport.Ceilings(gflops: best.gflops, gbps: best.gbps)
    }

    // MARK: - Training step

    /// Times steps of a small model with either set, in turn.
    private func timeSteps() -> [BenchmarkReport.Step] {
        let configuration = Configuration(
            blockSize: 64, vocabularySize: 257, paddedVocabularySize: 272, layers: 4, heads: 6, channels: 192)
        var candidate = TimedModel(configuration, request.candidate)
        var base = TimedModel(configuration, request.base)
        for _ in 0..<3 {
            candidate.step()
            base.step()
        }
        let name = "4 layers of 192 channels, 4 × 64 byte tokens"
        return [candidate.result(name, "fast set"), base.result(name, "base set")]
    }
}

/// A model that trains on made-up tokens, with a stop-watch.
private struct TimedModel: ~Copyable {
    private var model: GPT2<Float>
    private var times: [[Double]] = [[], [], []]

    init(_ configuration: Configuration, _ kernels: KernelSet<Float>) {
        model = GPT2(configuration: configuration, batch: 4, sequence: 64, kernels: kernels)
        model.initialize(seed: 1)
        let tokens = (0..<257).map { Int32($0 * 31 % 257) }
        do {
            try model.load(inputs: tokens[..<256], targets: tokens[1...])
        } catch {
            preconditionFailure("\(error)")
        }
    }

    mutating func step() {
        times[0].append(seconds { model.forward() })
        times[1].append(
            seconds {
                model.zeroGradients()
                model.backward()
            })
        let t = times[2].count + 1
        let start = ContinuousClock.now
        model.update(AdamW.Hyperparameters(), step: t)
        let update = start.duration(to: .now).components
        times[2].append(Double(update.seconds) + Double(update.attoseconds) * 1e-18)
    }

    func result(_ name: String, _ implementation: String) -> BenchmarkReport.Step {
        let medians = times.map { Statistics.median($0) }
        return BenchmarkReport.Step(
            model: name, implementation: implementation, forward: medians[0], backward: medians[1], update: medians[2],
            tokensPerSecond: 256 / medians.reduce(0, +), samples: times[0].count)
    }
}
