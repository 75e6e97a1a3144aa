import Foundation
import Platform
import Reporting
import TestSupport
import Testing

/// `bench` as a person meets it.
struct BenchCommandTests {
    @Test func oneOperation() throws {
        let reports = try TemporaryFolder()
        let run = try Run(
            "bench", ["--only", "matmul", "--shapes", "tiny:1x3", "--threads", "1", "--report", reports.path])
        #expect(run.code == 0)
        #expect(run.output.split(separator: "\n").allSatisfy { $0.count <= 80 || $0.contains(reports.path) })
        let report = try JSON.report(BenchmarkReport.self, from: reports.data("bench.json"))
        // Five places of the model, two passes, and each number of threads.
        #expect(report.rows.count == 10 * report.ceilings.count)
        for row in report.rows {
            #expect(row.timings.map(\.name) == ["fast", "reference"])
            #expect(row.timings.map(\.implementation) == ["fast", "reference"])
            for timing in row.timings {
                let seconds = try #require(timing.seconds), comparison = try #require(timing.comparison)
                #expect(seconds > 0 && timing.times?.samples ?? 0 >= 20)
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
        (["--thread", "1"], "--threads"), (["--threads", "0"], "above 0"),
        (["--threads", "99999"], "this machine has"), (["--peers", "jax"], "torch"),
        (["--budget", "0"], "above 0"), (["--budget", "-1"], "above 0"), (["--budget", "inf"], "above 0"),
        (["--budget", "nan"], "above 0"), (["--budget", "soon"], "'soon'"), (["--budget"], "SECONDS"),
    ])
    func unusable(_ arguments: [String], says: String) throws {
        let run = try Run("bench", arguments)
        #expect(run.code == 2 && run.output.isEmpty)
        #expect(run.errors.hasPrefix("bench: ") && run.errors.contains(says))
        #expect(run.errors.split(separator: "\n").count == 1)
    }

    /// More time for each pair of contestants is more samples.
    @Test func budget() throws {
        let reports = try TemporaryFolder()
        let samples = try ["0.001", "0.4"].map { budget in
            let run = try Run(
                "bench",
                [
                    "--only", "residual", "--shapes", "tiny:1x8", "--threads", "1", "--kernels", "fast", "--budget",
                    budget, "--report", reports.path,
                ])
            #expect(run.code == 0, "\(run.errors)")
            let report = try JSON.report(BenchmarkReport.self, from: reports.data("bench.json"))
            return try report.rows.reduce(0) { $0 + (try #require($1.timings[0].times)).samples }
        }
        #expect(samples[0] < samples[1], "\(samples)")
    }

    @Test func peerThatIsNotThere() throws {
        let run = try Run(
            "bench", ["--peers", "torch", "--only", "gelu", "--shapes", "tiny:1x3"],
            environment: ["PLUMBLINE_PYTHON": "/no/such/python"])
        #expect(run.code == 2 && run.output.isEmpty)
        #expect(
            run.errors.contains("/no/such/python") && run.errors.contains("pip install -r scripts/requirements.txt"))
    }

    /// A library that cannot be had is a line that says how to get it.
    @Test(arguments: ["onednn", "pypi-openblas"])
    func libraryThatIsNotThere(_ peer: String) throws {
        let run = try Run(
            "bench", ["--peers", peer, "--only", "matmul", "--shapes", "tiny:1x3"],
            environment: ["PLUMBLINE_PYTHON": "/no/such/python", "LD_LIBRARY_PATH": ""])
        #expect(run.code == 2 && run.output.isEmpty && run.errors.split(separator: "\n").count == 1)
        #expect(run.errors.hasPrefix("bench: --peers \(peer): ") && run.errors.contains("requirements.txt gets it"))
    }

    /// Whatever a call touches, its limit is of a level that there is, and its rows stand in one table.
    @Test func limitsAndTables() throws {
        let reports = try TemporaryFolder()
        let run = try Run(
            "bench",
            [
                "--kernels", "fast", "--only", "gelu,residual", "--shapes", "tiny:1x8", "--threads", "1,2", "--budget",
                "0.001", "--report", reports.path,
            ])
        #expect(run.code == 0, "\(run.errors)")
        for threads in ["1 thread", "2 threads"] {
            #expect(run.output.split(separator: "\n").count { $0 == "tiny:1x8, \(threads)" } == 1)
        }
        let report = try JSON.report(BenchmarkReport.self, from: reports.data("bench.json"))
        for ceiling in report.ceilings {
            let levels = ceiling.bandwidths.map(\.level)
            #expect(levels.last == .memory && levels.count >= 3)
            #expect(ceiling.bandwidths.allSatisfy { $0.read > 0 && $0.triad > 0 && $0.update > 0 })
            // Each level holds more than the one before.
            #expect(zip(ceiling.bandwidths, ceiling.bandwidths.dropFirst()).allSatisfy { $0.bytes < $1.bytes })
        }
        #expect(report.rows.allSatisfy { $0.ceilingSeconds > 0 && $0.boundBy != .memory })
    }

    /// What a report says comes from its record alone: drawn again, every file is the same.
    @Test func drawnAgain() throws {
        let (first, second) = (try TemporaryFolder(), try TemporaryFolder())
        let flags = [
            "--only", "gelu,residual", "--shapes", "tiny:2x5", "--kernels", "fast,reference", "--threads", "1",
        ]
        #expect(try Run("bench", flags + ["--report", first.path]).code == 0)
        let again = try Run("bench", ["--from", first("bench.json"), "--report", second.path])
        #expect(again.code == 0)
        let names = first.names()
        #expect(names == second.names())
        #expect(names.count == 6 && names.contains("bench-roofline-tiny-2x5-dark.svg"))
        for name in names {
            #expect(
                FileManager.default.contentsEqual(atPath: first(name), andPath: second(name)))
        }
        let markdown = try String(contentsOfFile: first("bench.md"), encoding: .utf8)
        #expect(markdown.hasPrefix("# Benchmark\n\n**4 timings in "))
        for word in ["<picture>", "<details>", "gelu backward", "prefers-color-scheme: dark", "## What is left open"] {
            #expect(markdown.contains(word), "\(word)")
        }
    }

    /// A gate that found something fails the job, whenever its report is drawn; one that found nothing does not.
    @Test(arguments: BenchmarkReport.GateOutcome.Finding.Kind.allCases.map { [$0] } + [[]])
    func gateCode(_ kinds: [BenchmarkReport.GateOutcome.Finding.Kind]) throws {
        let folder = try TemporaryFolder()
        var report = BenchmarkReport(
            kind: .gate, contestants: [.init(name: "head", title: "fast"), .init(name: "base", title: "fast")],
            ceilings: [], rows: [], steps: [],
            noise: .init(margin: 0.02, sameCode: 0.01, kernels: 1, detectable: 0.03, worstDetectable: 0.03), limits: [],
            machine: .current(threads: 1), commit: nil, date: "2026-01-01T00:00:00Z", command: ["bench", "gate"],
            seconds: 1)
        report.gate = .init(
            base: "HEAD~1", head: "HEAD",
            findings: kinds.map { .init(kind: $0, kernel: "gelu forward", text: "of some sort") }, remarks: [])
        try folder.write("gate.json", JSON.data(report))
        let run = try Run("bench", ["--from", folder("gate.json")])
        #expect(run.code == (kinds.isEmpty ? 0 : 1), "\(run.errors)")
    }

    @Test(arguments: [
        (["gate"], "--base"), (["gate", "--base", "no-such-ref"], "no-such-ref"),
        (["gate", "--base", "HEAD", "--accept", "conv"], "conv"), (["selftest", "--trials", "none"], "above 0"),
        (["--from", "/no/such.json"], "/no/such.json"), (["--from", "Package.swift"], "Package.swift"),
    ])
    func unusableModes(_ arguments: [String], says: String) throws {
        let run = try Run("bench", arguments)
        #expect(run.code == 2 && run.output.isEmpty)
        #expect(run.errors.hasPrefix("bench: ") && run.errors.contains(says))
        #expect(run.errors.split(separator: "\n").count == 1)
    }

    @Test(arguments: ["gate", "selftest", "worker"])
    func help(_ mode: String) throws {
        let help = try Run("bench", [mode, "--help"])
        #expect(help.code == 0 && help.output.contains("Usage: bench \(mode)"))
        #expect(help.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    /// The table comes out whatever the machine does meanwhile; what it says depends on that.
    @Test func selfTest() throws {
        let run = try Run("bench", ["selftest", "--trials", "2"])
        #expect(run.code == 0 || run.code == 1)
        #expect(run.output.contains("5.0%") && run.output.contains("SLOW"))
    }
}
