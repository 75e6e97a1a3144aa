@testable import Benchmarking
import Platform
import Reporting
import Testing

struct MachineWatchTests {
    private func ceilings(_ threads: Int, _ gflops: Double, _ gbps: [Double]) -> BenchmarkReport.MachineCeilings {
        .init(
            threads: threads, gflops: gflops,
            bandwidths: gbps.enumerated().map { .init(bytes: 1 << (10 * ($0 + 1)), gbps: $1) })
    }

    /// A limit is the best that was seen of it.
    @Test func bestOfTwoLooks() {
        let best = ceilings(1, 90, [10, 7]).best(with: ceilings(1, 100, [8, 9]))
        #expect(best.gflops == 100 && best.bandwidths.map(\.gbps) == [10, 9] && best.threads == 1)
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
