import Foundation
import Reporting
import Testing

/// `bench` as a person meets it.
struct BenchCommandTests {
    @Test func oneOperation() throws {
        let reports = NSTemporaryDirectory() + "plumbline-bench-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: reports) }
        let run = try Run("bench", ["--only", "matmul", "--shape", "1x3", "--report", reports])
        #expect(run.code == 0)
        #expect(run.output.split(separator: "\n").allSatisfy { $0.count <= 80 || $0.contains(reports) })
        let report = try JSON.report(
            BenchmarkReport.self, from: Data(contentsOf: URL(fileURLWithPath: reports + "/bench.json")))
        #expect(report.rows.count == 8)
        for row in report.rows {
            #expect(row.implementation == "fast" && row.base == "reference")
            #expect(row.seconds > 0 && row.pairs > 0 && row.gflops > 0)
            let (low, middle, high) = (row.speedupLow ?? 0, row.speedup ?? 0, row.speedupHigh ?? 0)
            #expect(0 < low && low <= middle && middle <= high)
            // It is timed on what it computes rightly.
            #expect((row.difference ?? 1) < 1e-5)
        }
        #expect(report.ceilings.gflops > 0 && report.ceilings.gbps > 0)
        #expect(FileManager.default.fileExists(atPath: reports + "/bench.md"))
    }

    @Test(arguments: [
        (["--kernels", "fast"], "two sets"), (["--kernels", "fast,slow"], "slow"), (["--only", "conv"], "conv"),
        (["--shape", "4"], "4x64"), (["--shape", "0x8"], "1 to 64"), (["--thread", "1"], "--threads"),
    ])
    func unusable(_ arguments: [String], says: String) throws {
        let run = try Run("bench", arguments)
        #expect(run.code == 2 && run.output.isEmpty)
        #expect(run.errors.hasPrefix("bench: ") && run.errors.contains(says))
    }
}
