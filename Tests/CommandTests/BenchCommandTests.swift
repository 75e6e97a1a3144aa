import Foundation
import Reporting
import Testing

/// `bench` as a person meets it.
struct BenchCommandTests {
    /// A folder for reports that goes when the test ends.
    private final class Reports {
        let path = NSTemporaryDirectory() + "plumbline-bench-" + UUID().uuidString
        deinit { try? FileManager.default.removeItem(atPath: path) }

        func report() throws -> BenchmarkReport {
            try JSON.report(BenchmarkReport.self, from: Data(contentsOf: URL(fileURLWithPath: path + "/bench.json")))
        }
    }

    @Test func oneOperation() throws {
        let reports = Reports()
        let run = try Run("bench", ["--only", "matmul", "--shapes", "tiny:1x3", "--report", reports.path])
        #expect(run.code == 0)
        #expect(run.output.split(separator: "\n").allSatisfy { $0.count <= 80 || $0.contains(reports.path) })
        let report = try reports.report()
        // Five places of the model, two passes, and each number of threads.
        #expect(report.rows.count == 10 * report.ceilings.count)
        for row in report.rows {
            #expect(row.timings.map(\.name) == ["fast", "reference"])
            #expect(row.timings.map(\.implementation) == ["fast", "reference"])
            for timing in row.timings {
                let seconds = try #require(timing.seconds), comparison = try #require(timing.comparison)
                #expect(seconds > 0 && timing.samples >= 20)
                #expect(0 < comparison.low && comparison.low <= comparison.ratio && comparison.ratio <= comparison.high)
                // It is timed on what it computes rightly, and every element is compared.
                let accuracy = try #require(timing.accuracy)
                #expect(accuracy.worst <= 1 && accuracy.rmse > 0 && accuracy.compared == accuracy.of)
            }
        }
        #expect(report.ceilings.allSatisfy { $0.gflops > 0 && $0.bandwidths.count >= 3 })
        #expect(report.noise.margin >= 0.02 && report.noise.kernels == report.rows.count)
    }

    @Test(arguments: [
        (["--kernels", "fast,reference,fast"], "two"), (["--kernels", "fast,slow"], "slow"),
        (["--only", "conv"], "conv"), (["--shapes", "4"], "124M:4x64"), (["--shapes", "124M:0x8"], "1 to 64"),
        (["--thread", "1"], "--threads"), (["--threads", "0"], "above 0"), (["--peers", "jax"], "torch"),
    ])
    func unusable(_ arguments: [String], says: String) throws {
        let run = try Run("bench", arguments)
        #expect(run.code == 2 && run.output.isEmpty)
        #expect(run.errors.hasPrefix("bench: ") && run.errors.contains(says))
        #expect(run.errors.split(separator: "\n").count == 1)
    }

    @Test func peerThatIsNotThere() throws {
        let run = try Run(
            "bench", ["--peers", "torch", "--only", "gelu", "--shapes", "tiny:1x3"],
            environment: ["PLUMBLINE_PYTHON": "/no/such/python"])
        #expect(run.code == 2 && run.output.isEmpty)
        #expect(
            run.errors.contains("/no/such/python") && run.errors.contains("pip install -r scripts/requirements.txt"))
    }
}
