import Foundation
import Platform
import Reporting
import TestSupport
import Testing

/// The scripts that compare with Python packages, where those are installed; scripts/install_python.sh gets them.
@Suite(.serialized)
struct PythonComparisonTests {
    @Test(.enabled(if: Python.with(Python.transformers) != nil))
    func transformers() throws {
        let python = try #require(Python.with(Python.transformers))
        let run = try Run(
            python, ["scripts/check_transformers.py"], environment: ["BINARIES": Run.binaries.path])
        #expect(run.code == 0, "\(run.output)\(run.errors)")
    }

    @Test(.enabled(if: Python.with(Python.tiktoken) != nil))
    func tiktoken() throws {
        let python = try #require(Python.with(Python.tiktoken))
        let train = Run.binaries.appendingPathComponent("train").path
        let run = try Run(python, ["scripts/check_tokenizer.py", "--train", train])
        #expect(run.code == 0, "\(run.output)\(run.errors)")
    }

    /// A dump of transformers' GPT-2 holds; with attention's dropout left on, its output is the first to diverge.
    @Test(
        .enabled(if: Python.with(Python.transformers) != nil),
        arguments: [("eager", "0", 0), ("sdpa", "0", 0), ("eager", "0.1", 1)])
    func hookedTransformers(_ attention: String, dropout: String, code: Int) throws {
        let python = try #require(Python.with(Python.transformers))
        let folder = try TemporaryFolder()
        let dump = try Run(
            python,
            [
                "scripts/dump_hooks.py", "fixtures/tiny.h5", "--out", folder("candidate.h5"), "--attention",
                attention, "--attn-pdrop", dropout,
            ])
        #expect(dump.code == 0, "\(dump.errors)")
        let run = try Run(
            "verify", ["compare", "fixtures/tiny.h5", folder("candidate.h5"), "--report", folder.path])
        #expect(run.code == code, "\(run.output)\(run.errors)")
        #expect(run.output.contains("Compared 74 of 95 tensors; 21 are not materialised by the candidate:"))
        #expect(run.output.contains("atty of tiny h.0 is the first divergence") == (code == 1))
        #expect(run.output.contains(code == 0 ? "PASS: 74" : "FAIL: "))
    }

    /// The generator of the fixtures has tests of its own.
    @Test(.enabled(if: Python.with(Python.hdf5) != nil))
    func generator() throws {
        let python = try #require(Python.with(Python.hdf5))
        let run = try Run(
            python, ["-B", "-m", "unittest", "fixtures.test_fixtures"], in: packageRoot + "/scripts")
        #expect(run.code == 0 && run.errors.contains("OK"), "\(run.errors)")
    }

    /// The kernels hold by a state that the generator writes now.
    @Test(.enabled(if: Python.with(Python.hdf5) != nil))
    func generatedState() throws {
        let python = try #require(Python.with(Python.hdf5))
        let folder = try TemporaryFolder()
        let generated = try Run(
            python,
            [
                "-B", "scripts/generate_fixtures.py", "--text", "LICENSE", "--steps", "3", "--out", folder("made.h5"),
            ])
        try #require(generated.code == 0, "\(generated.errors)")
        let run = try Run("verify", ["--fixture", folder("made.h5"), "--report", folder.path])
        #expect(run.code == 0 && run.output.contains("PASS: "), "\(run.output)\(run.errors)")
    }

    /// PyTorch as a peer of `bench` computes every kernel of the catalog, and rightly, at sizes that nothing divides too.
    @Test(.enabled(if: Python.with(Python.torch) != nil), arguments: ["tiny:1x3", "tiny:2x8", "odd"])
    func timedPyTorch(_ shape: String) throws {
        let python = try #require(Python.with(Python.torch))
        let reports = try TemporaryFolder()
        let list = try Run("verify", ["--list"]).output.split(separator: "\n").dropFirst()
        let operations = Set(list.map { $0.prefix { $0 != " " } }).sorted().joined(separator: ",")
        let run = try Run(
            "bench",
            [
                "--kernels", "fast", "--peers", "torch", "--only", operations, "--shapes", shape, "--threads", "1",
                "--budget", "0.000001", "--report", reports.path,
            ], environment: ["PLUMBLINE_PYTHON": python])
        #expect(run.code == 0, "\(run.output)\(run.errors)")
        #expect(!run.output.contains("WRONG"))
        let report = try JSON.report(BenchmarkReport.self, from: reports.data("bench.json"))
        #expect(Set(report.rows.map(\.kernel)).count == list.count)
        for row in report.rows {
            #expect(row.timings.map(\.name) == ["fast", "torch"])
            for timing in row.timings {
                let what = "\(row.kernel) \(row.place): \(timing.omission ?? "")"
                #expect(timing.accuracy?.isRight == true && timing.seconds != nil, "\(what)")
            }
        }
    }

    /// The libraries of packages compute both products, rightly, with a bias and without, on one thread and on two; the
    /// report names their releases and kernels, and says where the environment chose these.
    @Test(.enabled(if: Python.with(Python.openBLAS) != nil && Python.hasOneDNN), arguments: ["tiny:2x8", "odd"])
    func timedLibraries(_ shape: String) throws {
        let python = try #require(Python.with(Python.openBLAS))
        let reports = try TemporaryFolder()
        let run = try Run(
            "bench",
            [
                "--kernels", "fast", "--peers", "onednn,pypi-openblas", "--only", "matmul", "--shapes", shape,
                "--budget", "0.000001", "--report", reports.path,
            ], environment: ["PLUMBLINE_PYTHON": python, "OPENBLAS_CORETYPE": "Haswell"])
        #expect(run.code == 0, "\(run.output)\(run.errors)")
        let report = try JSON.report(BenchmarkReport.self, from: reports.data("bench.json"))
        for timing in report.rows.flatMap(\.timings) {
            #expect(timing.accuracy?.isRight == true && timing.seconds != nil, "\(timing.omission ?? "")")
        }
        let titles = report.contestants.map(\.title)
        #expect(titles[1].wholeMatch(of: /oneDNN 3\.\d+\.\d+, \w+:\w+/) != nil, "\(titles)")
        #expect(titles[2].wholeMatch(of: /OpenBLAS 0\.3\.34[.\d]*, kernels for Haswell/) != nil, "\(titles)")
        #expect(report.limits.contains { $0.hasPrefix("pypi-openblas: OPENBLAS_CORETYPE=Haswell in the environment") })
        #expect(!report.limits.contains { $0.hasPrefix("onednn: ") })
    }

    /// A training step of PyTorch's beside ours.
    @Test(.enabled(if: Python.with(Python.torch) != nil))
    func timedStep() throws {
        let python = try #require(Python.with(Python.torch))
        let reports = try TemporaryFolder()
        let run = try Run(
            "bench",
            [
                "--kernels", "fast", "--peers", "torch", "--only", "step", "--shapes", "tiny:2x8", "--threads", "1",
                "--budget", "0.001", "--report", reports.path,
            ], environment: ["PLUMBLINE_PYTHON": python])
        #expect(run.code == 0, "\(run.output)\(run.errors)")
        let report = try JSON.report(BenchmarkReport.self, from: reports.data("bench.json"))
        #expect(report.rows.isEmpty && report.steps.map { $0.timings.map(\.name) } == [["fast", "torch"]])
    }
}
