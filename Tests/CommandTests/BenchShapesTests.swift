import Foundation
import Platform
import Reporting
import TestSupport
import Testing

/// `bench` at every shape that its help or the README names.
@Suite(.serialized)
struct BenchShapesTests {
    /// Those shapes, such as `124M:4x64`.
    static let shapes: [String] = {
        let helps = [[], ["gate"], ["selftest"], ["worker"]].map { mode in
            (try? Run("bench", mode + ["--help"]))?.output ?? ""
        }
        let readme = (try? String(contentsOfFile: packageRoot + "/README.md", encoding: .utf8)) ?? ""
        return (helps + [readme]).reduce(into: Set<String>()) { shapes, text in
            shapes.formUnion(text.matches(of: /(?:\d+M|tiny):\d+x\d+/).map { String($0.output) })
            if text.contains(/\bodd\b/) { shapes.insert("odd") }
        }.sorted()
    }()

    /// The kernels of the catalog, such as `matmul forward`.
    private static let kernels: Set<String> = {
        let lines = ((try? Run("verify", ["--list"]))?.output ?? "").split(separator: "\n").dropFirst()
        return Set(lines.compactMap { $0.firstMatch(of: /^\w+ \w+/).map { String($0.output) } })
    }()

    @Test func shapesAreNamed() {
        #expect(Set(Self.shapes).isSuperset(of: ["124M:1x64", "124M:4x64", "124M:1x1024", "1558M:1x64", "odd"]))
        #expect(Self.kernels.count == 21)
    }

    /// The operations on a whole model's tables, which take most of the time and are the same at every shape, and
    /// products, which grow with it: those are timed at the smaller shapes, and `verify` judges them at the others.
    private static let large: Set = ["adamw", "encoder", "matmul"]
    private static let smaller: Set = ["124M:1x64", "odd"]

    /// Every kernel is timed, at every shape but for the ``large`` ones, and right there.
    @Test(arguments: shapes)
    func kernelsAreTimed(_ shape: String) throws {
        let reports = try TemporaryFolder()
        func operation(_ kernel: String) -> String { String(kernel.prefix { $0 != " " }) }
        let kernels = Self.kernels.filter {
            Self.smaller.contains(shape) || !Self.large.contains(operation($0))
        }
        let operations = Set(kernels.map(operation))
        let run = try Run(
            "bench",
            [
                "--kernels", "fast", "--threads", "1", "--only", operations.sorted().joined(separator: ","), "--shapes",
                shape, "--budget", "0.000001", "--report", reports.path,
            ])
        #expect(run.code == 0, "\(run.output)\(run.errors)")
        let report = try JSON.report(BenchmarkReport.self, from: reports.data("bench.json"))
        #expect(report.steps.isEmpty)
        #expect(Set(report.rows.map(\.kernel)) == kernels)
        for row in report.rows {
            #expect(row.shape == shape && row.timings.count == 1)
            let accuracy = try #require(row.timings[0].accuracy, "\(row.kernel) \(row.place)")
            #expect(accuracy.isRight && accuracy.compared > 0 && row.timings[0].seconds != nil, "\(row.kernel)")
        }
    }
}
