@testable import Benchmarking
import Platform
import Reporting
import TestSupport
import Testing

struct MachineWatchTests {
    private func ceilings(_ threads: Int, _ gflops: Double, _ gbps: [Double]) -> BenchmarkReport.MachineCeilings {
        .init(
            threads: threads, gflops: gflops,
            bandwidths: zip([BenchmarkReport.Bound.l1, .l2, .memory], gbps).enumerated().map { index, level in
                .init(
                    level: level.0, bytes: 1000 << (4 * index), read: 2 * level.1, triad: level.1, update: 1.5 * level.1
                )
            })
    }

    /// A limit is the best that was seen of it.
    @Test func bestOfTwoLooks() {
        let best = ceilings(1, 90, [10, 7]).best(with: ceilings(1, 100, [8, 9]))
        #expect(
            best.gflops == 100 && best.bandwidths.map(\.triad) == [10, 9] && best.bandwidths.map(\.read) == [20, 18]
                && best.bandwidths.map(\.update) == [15, 13.5] && best.threads == 1)
    }

    @Test(arguments: [
        (0.04, 0.01, nil), (0.9, 0, "other programs took 0.9"), (0, 0.12, "12% of the time"),
        (5, 0, "took 2.00 of 2 processors"),
    ])
    func warning(_ taken: Double, _ stolen: Double, says: String?) throws {
        let warning = LoadWatch.warning(taken: taken, of: 2, stolen: stolen)
        if let says {
            #expect(try #require(warning).contains(says), "\(warning ?? "")")
        } else {
            #expect(warning == nil)
        }
    }

    /// Each byte is charged to the level that can hold it, the nearest first; the sum is the limit.
    @Test(arguments: [
        // Read alone: 1,000 bytes from the first level (32 a ns), 16,000 from the second (16), the rest from memory (2).
        (1000, 0.0, 1000 / 32.0, BenchmarkReport.Bound.l1), (5000, 0, 1000 / 32.0 + 4000 / 16.0, .l2),
        (27000, 0, 1000 / 32.0 + 16000 / 16.0 + 10000 / 2.0, .memory),
        // The triad's mix takes what the triad took.
        (1000, 1 / 3.0, 1000 / 16.0, .l1),
    ])
    func ceilingByLevel(_ bytes: Int, _ overwritten: Double, nanoseconds: Double, bound: BenchmarkReport.Bound) {
        let mix = Demand.Mix(overwritten: overwritten, updated: 0)
        let ceiling = ceilings(1, 100, [16, 8, 1]).ceiling(
            Demand(operations: 1, bytes: bytes, mix: mix, footprint: bytes))
        #expect(abs(ceiling.seconds * 1e9 / nanoseconds - 1) < 1e-12 && ceiling.bound == bound, "\(ceiling)")
    }

    /// What is changed in place moves twice and lies in memory once: the update's mix takes what the update took.
    /// Arithmetic is the limit where it takes longer.
    @Test func ceilingOfWhatMovesTwice() {
        let ceilings = ceilings(1, 100, [16, 8, 1]), mix = Demand.Mix(overwritten: 0, updated: 2 / 3.0)
        let demand = Demand(operations: 1, bytes: 1200, mix: mix, footprint: 800)
        #expect(abs(ceilings.ceiling(demand).seconds * 1e9 / (1200 / 24.0) - 1) < 1e-12)
        let busy = Demand(operations: 100_000, bytes: 1200, mix: mix, footprint: 800)
        #expect(ceilings.ceiling(busy) == (1e-6, .compute))
    }

    /// Nothing is faster than the fastest of the loops, where writes cost nothing beside reads.
    @Test func writesBesideReads() {
        let bandwidth = BenchmarkReport.MachineCeilings.Bandwidth(level: .l1, bytes: 1, read: 2, triad: 3, update: 4)
        for mix in [Demand.Mix(overwritten: 1, updated: 0), .init(overwritten: 0, updated: 1)] {
            #expect(bandwidth.secondsPerByte(mix) * 4e9 > 1 - 1e-12)
        }
        #expect(abs(bandwidth.secondsPerByte(.init(overwritten: 1, updated: 0)) * 4e9 - 1) < 1e-12)
    }

    /// The caches that threads have together, on processors that share them.
    @Test(arguments: [(1, 8, 1, 32), (2, 8, 1, 64), (16, 8, 1, 256), (2, 8, 8, 32), (4, 8, 2, 128), (1, 0, 1, 32)])
    func cachesOfThreads(_ threads: Int, _ processors: Int, _ sharers: Int, _ bytes: Int) {
        let cache = CacheLevel(level: 1, bytes: 32, sharers: sharers)
        #expect(cache.bytes(forThreads: threads, onProcessors: processors) == bytes)
    }

    /// Levels as Linux describes them; caches of instructions are none.
    @Test(
        arguments: [
            (["level": "3", "type": "Unified\n", "size": "32768K", "shared_cpu_list": "0-3,8"], (3, 32 << 20, 5)),
            (["level": "1", "type": "Instruction", "size": "32K", "shared_cpu_list": "0"], nil),
            (["level": "1", "type": "Data", "size": "much", "shared_cpu_list": "0"], nil),
        ] as [([String: String], (Int, Int, Int)?)])
    func describedCache(_ files: [String: String], _ expected: (level: Int, bytes: Int, sharers: Int)?) throws {
        let folder = try TemporaryFolder()
        for (name, text) in files { try folder.write(name, text) }
        let cache = CacheLevel(describedIn: folder.path)
        #expect(cache == expected.map { CacheLevel(level: $0.level, bytes: $0.bytes, sharers: $0.sharers) })
    }

    /// That threads share a core is said where the system says so, and nowhere else.
    @Test(arguments: [
        (1, ": by the system's account they share a core"), (2, "no two share a core"), (nil, "one does."),
    ])
    func causeOfSlowThreads(_ cores: Int?, says: String) {
        var machine = Machine.current(threads: 2)
        machine.physicalCores = cores
        let report = BenchmarkReport(
            kind: .bench, contestants: [.init(name: "fast", title: "fast")],
            ceilings: [ceilings(1, 100, [10]), ceilings(2, 99, [10])], rows: [], steps: [],
            noise: .init(margin: 0.02, sameCode: 0.01, kernels: 1, detectable: 0.03, worstDetectable: 0.03), limits: [],
            machine: machine, commit: nil, date: "2026-01-01T00:00:00Z", command: ["bench"], seconds: 1)
        #expect(report.markdown.contains("2 threads reach no more than 0.99 times what one does"))
        #expect(report.markdown.contains(says))
    }
}
