import Foundation
import Platform
import Reporting
import TestSupport
import Testing

/// `verify` as a person or a CI job meets it.
struct VerifyCommandTests {
    @Test(arguments: ["fast", "reference"])
    func everythingHolds(_ kernels: String) throws {
        let reports = try TemporaryFolder()
        let run = try Run("verify", ["--kernels", kernels, "--report", reports.path])
        #expect(run.code == 0)
        #expect(run.errors.isEmpty)
        #expect(run.output.contains("PASS: "))
        #expect(!run.output.contains("\u{1b}"))
        #expect(run.output.split(separator: "\n").allSatisfy { $0.count <= 80 || $0.contains(reports.path) })

        let data = try reports.data("verify.json")
        let report = try JSON.report(VerificationReport.self, from: data)
        #expect(report.verdict == .pass && report.blamed == nil)
        #expect(report.compared == report.rows.count && report.compared > 1000)
        #expect(report.fixtures.count == 14)
        #expect(report.flags == ["--kernels", kernels, "--report", reports.path])
        // A line for each kernel and model, and what it all comes to next to the prompt.
        let lines = run.output.split(separator: "\n")
        #expect(lines.count < 40 && lines.last?.hasPrefix("PASS: ") == true)
        for kernel in Set(report.rows.filter { !$0.isOfState }.map { "\($0.operation) \($0.pass)" }) {
            #expect(lines.count { $0.hasPrefix(kernel + "  ") } == 1, "\(kernel)")
        }
        #expect(lines.count { $0.hasPrefix("tiny ") } == 1)
        let markdown = try String(contentsOfFile: reports("verify.md"), encoding: .utf8)
        #expect(markdown.contains("**PASS: ") && markdown.contains("`dtransformer.h.1.mlp.c_proj.weight`"))
    }

    /// Every tensor is listed on the terminal where that is asked for, each under its own name or shortened.
    @Test func details() throws {
        let reports = try TemporaryFolder()
        let run = try Run(
            "verify",
            ["--details", "--mode", "all", "--only", "gelu,softmax,encoder,adamw", "--report", reports.path])
        #expect(run.code == 0)
        #expect(run.output.split(separator: "\n").allSatisfy { $0.count <= 80 || $0.contains(reports.path) })
        for tensor in ["encoded", "fch_gelu", "probs", "dfch", "transformer.wte.weight", "params", "dinp", "dwpe"] {
            #expect(run.output.contains(" \(tensor) "), "\(tensor)")
        }
        let report = try JSON.report(VerificationReport.self, from: reports.data("verify.json"))
        #expect(report.drawn.map { drawn in run.output.contains("--seed \(drawn.seed)") } == true)
    }

    /// No program of the system is needed for it.
    @Test func onlyOneOperation() throws {
        let reports = try TemporaryFolder()
        let run = try Run(
            "verify", ["--only", "gelu", "--mode", "isolated", "--report", reports.path], environment: ["PATH": ""])
        #expect(run.code == 0)
        #expect(run.output.contains("gelu backward") && !run.output.contains("layernorm"))
    }

    @Test(arguments: [
        (["--kernels", "slow"], "slow"), (["--only", "conv"], "conv"), (["--mode", "fast"], "fast"),
        (["--kernel", "fast"], "did you mean --kernels?"), (["--threads", "0"], "above 0"), (["--fixture"], "FILE"),
        (["extra"], "extra"), (["--fixture", "/no/such.h5"], "/no/such.h5: there is no such file"),
        (["--only", "adamw", "--mode", "chained"], "nothing in it was compared"),
        (["--model", "gpt2.bin"], "--model and --state belong together"),
        (["--state", "s.bin", "--model", "m.bin", "--only", "gelu"], "--only does not go with --model"),
        (["--state", "s.bin", "--model", "m.bin", "--shapes", "odd"], "--shapes does not go with --model"),
        (["--model", "/no/such.bin", "--state", "s.bin"], "/no/such.bin: there is no such file"),
        (["--model", "fixtures/tiny.h5", "--state", "s.bin"], "fixtures/tiny.h5: "),
        (["compare", "fixtures/tiny.h5"], "CANDIDATE.h5 is missing"),
        (["compare", "a.h5", "b.h5", "c.h5"], "'c.h5' belongs to no flag"),
        (["compare", "fixtures/tiny.h5", "/no/such.h5"], "/no/such.h5: there is no such file"),
        (["gradcheck", "--only", "softmax"], "none of these has a backward pass"),
        (["gradcheck", "--kernels", "slow"], "slow"),
    ])
    func unusable(_ arguments: [String], says: String) throws {
        let reports = try TemporaryFolder()
        let run = try Run("verify", arguments + (arguments == ["--fixture"] ? [] : ["--report", reports("made")]))
        #expect(run.code == 2)
        #expect(run.output.isEmpty)
        #expect(run.errors.hasPrefix("verify: ") && run.errors.contains(says))
        #expect(run.errors.split(separator: "\n").count == 1)
        #expect(reports.names().isEmpty)
    }

    @Test(arguments: ["verify", "bench"])
    func help(_ name: String) throws {
        let help = try Run(name, ["--help"])
        #expect(help.code == 0)
        #expect(help.output.contains("Usage: \(name)") && help.output.contains("Exit codes"))
        #expect(help.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
        let version = try Run(name, ["--version"])
        #expect(version.code == 0 && version.output.hasPrefix("\(name) "))
    }

    @Test func list() throws {
        let run = try Run("verify", ["--list"])
        #expect(run.code == 0)
        #expect(run.output.contains("matmul forward") && run.output.contains("reference, fast"))
    }

    @Test(arguments: ["fast", "reference"])
    func gradientCheck(_ kernels: String) throws {
        let reports = try TemporaryFolder()
        let run = try Run("verify", ["gradcheck", "--kernels", kernels, "--seed", "5", "--report", reports.path])
        #expect(run.code == 0 && run.errors.isEmpty, "\(run.output)\(run.errors)")
        #expect(run.output.contains("PASS: 45 gradients"))
        #expect(run.output.split(separator: "\n").allSatisfy { $0.count <= 80 || $0.contains(reports.path) })
        let report = try JSON.report(
            GradientReport.self, from: reports.data("gradcheck.json"))
        #expect(try RecordSchema("gradcheck").problems(in: reports.data("gradcheck.json")) == [])
        #expect(report.holds && report.seed == 5 && report.rows.count == 45)
        #expect(FileManager.default.fileExists(atPath: reports("gradcheck.md")))
    }

    @Test(arguments: ["compare", "gradcheck", "selftest"])
    func helpOfModes(_ mode: String) throws {
        let help = try Run("verify", [mode, "--help"])
        #expect(help.code == 0 && help.output.contains("Usage: verify \(mode)"))
        #expect(help.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    @Test func reportThatCannotBeWritten() throws {
        let run = try Run("verify", ["--only", "gelu", "--mode", "isolated", "--report", "/dev/null/reports"])
        #expect(run.code == 2 && run.errors.contains("cannot be written"))
    }

    /// Every planted fault is caught and rightly blamed, and no right kernel is called wrong.
    @Test func selfTest() throws {
        let reports = try TemporaryFolder()
        let run = try Run("verify", ["selftest", "--variants", "64", "--report", reports.path])
        let report = try JSON.report(
            SelfTestReport.self, from: reports.data("selftest.json"))
        #expect(try RecordSchema("selftest").problems(in: reports.data("selftest.json")) == [])
        let missed = report.faults.filter { !$0.isBlamed }
        #expect(missed.isEmpty, "\(missed)")
        #expect(run.code == 0 && run.errors.isEmpty, "\(run.errors)")
        #expect(report.faults.count >= 1_300 && report.faults.contains { $0.origin == "wiring" })
        #expect(report.falseAlarms.isEmpty && report.variants == 64 && report.drawnVariants >= 63)
        #expect(report.detection.count == 3 && report.detection.allSatisfy(\.isSure))
        #expect(report.models > 0 && report.searched == 64)
        // Every result of every kernel, and some errors are no small part of their bounds.
        #expect(Set(report.tightness.map { "\($0.kernel) \($0.result)" }).count == report.tightness.count)
        #expect(Set(report.tightness.map(\.kernel)).count == 21 && report.tightness.allSatisfy(\.isWithin))
        #expect(report.tightness.contains { $0.fraction > 0.9 })
        #expect(FileManager.default.fileExists(atPath: reports("selftest.md")))
    }

    @Test func inGitHubActions() throws {
        let reports = try TemporaryFolder()
        let summary = try reports.write("summary.md", "before\n")
        let run = try Run(
            "verify", ["--only", "gelu", "--mode", "isolated", "--report", reports.path],
            environment: ["GITHUB_STEP_SUMMARY": summary, "GITHUB_ACTIONS": "true"])
        #expect(run.code == 0 && !run.output.contains("::error"))
        let text = try String(contentsOfFile: summary, encoding: .utf8)
        #expect(text.hasPrefix("before\n# Verification") && text.contains("**PASS: "))
        #expect(FileManager.default.fileExists(atPath: reports("verify.junit.xml")))
    }

    /// A verdict that was reached is shown, whatever becomes of the report.
    @Test func summaryThatCannotBeWritten() throws {
        let reports = try TemporaryFolder()
        let run = try Run(
            "verify", ["--only", "gelu", "--mode", "isolated", "--report", reports.path],
            environment: ["GITHUB_STEP_SUMMARY": "/dev/null/summary.md"])
        #expect(run.code == 2 && run.errors.contains("/dev/null/summary.md: cannot be written"), "\(run.errors)")
        #expect(run.output.split(separator: "\n").last?.hasPrefix("PASS: ") == true)
    }

    /// Threads that cannot be had are done without.
    @Test func fewThreads() throws {
        let reports = try TemporaryFolder()
        let run = try Run(
            "verify", ["--only", "gelu", "--mode", "isolated", "--threads", "64", "--report", reports.path],
            limits: "ulimit -v 200000")
        #expect(run.code == 0, "\(run.output)\(run.errors)")
        #expect(run.errors.contains(/^note: 64 threads asked for, \d+ started \(.*\); give --threads \d+\n$/))
    }
}
