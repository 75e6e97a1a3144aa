import FastKernels
import Foundation
import Kernels
import Platform
import Reporting
import Tensors

/// Measures the machine's limits, for each number of threads.
struct CeilingProbe: ~Copyable {
    /// The bytes of the triad's three arrays together: from a first-level cache to far beyond the last.
    private static let footprints = [48 << 10, 384 << 10, 3 << 20, 12 << 20, 384 << 20]
    /// How often each loop runs in a look; the fastest counts, since a limit is what is possible.
    private static let repeats = 3

    private let a, b, c: Tensor<Float>

    init() {
        let elements = (Self.footprints.last ?? 0) / 12
        a = Tensor(repeating: 0, count: elements)
        b = Tensor(repeating: 1, count: elements)
        c = Tensor(repeating: 2, count: elements)
    }

    /// The limits with that many threads.
    func measure(threads: Int) -> BenchmarkReport.MachineCeilings {
        let workers = Workers(count: threads)
        let sink = Tensor<Float>(repeating: 0, count: threads)
        let gflops = [Ceilings.multiplyAdd8, Ceilings.multiplyAdd16].map { loop in
            Self.fastest { loop(1_000_000, workers, sink.view) }
        }.max()
        return BenchmarkReport.MachineCeilings(
            threads: threads, gflops: gflops ?? 0,
            bandwidths: Self.footprints.map { footprint in
                .init(bytes: footprint, gbps: bandwidth(footprint, workers))
            })
    }

    private func bandwidth(_ footprint: Int, _ workers: Workers) -> Double {
        let range = 0..<footprint / 12 / 16 * 16
        let (a, b, c) = (a.view.slice(range), View(b.view.slice(range)), View(c.view.slice(range)))
        // At least 12 MB moved a time, so that starting threads costs nothing beside it.
        let rounds = max((12 << 20) / footprint, 1)
        return Self.fastest { Ceilings.triad(a, b, c, rounds: rounds, workers) }
    }

    /// The most units, in 10^9 a second, that `loop` reaches.
    private static func fastest(_ loop: () -> Int) -> Double {
        (0..<repeats).map { _ in
            var units = 0
            let elapsed = seconds { units = loop() }
            return Double(units) / elapsed / 1e9
        }.max() ?? 0
    }
}

extension BenchmarkReport.MachineCeilings {
    /// The least time that this machine needs for a call, in seconds, and what bounds it.
    ///
    /// The bandwidth is that of the probe nearest to the call's footprint: of a cache that holds all its arguments, or of
    /// memory.
    ///
    /// Source: Williams, Waterman and Patterson 2009, Roofline: an insightful visual performance model.
    func ceiling(operations: Int, bytes: Int, footprint: Int) -> (seconds: Double, bound: BenchmarkReport.Bound) {
        let computing = Double(operations) / (gflops * 1e9)
        let distances = bandwidths.map { abs(log(Double($0.bytes) / Double(footprint))) }
        let index = distances.indices.min { distances[$0] < distances[$1] } ?? 0
        let moving = Double(bytes) / (bandwidths[index].gbps * 1e9)
        if computing >= moving { return (computing, .compute) }
        return (moving, index == bandwidths.count - 1 ? .memory : .cache)
    }
}
