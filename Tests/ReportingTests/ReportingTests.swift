import Foundation
import Platform
import Reporting
import TestSupport
import Testing

struct ReportingTests {
    private func report(failing: Bool) -> VerificationReport {
        let rows = [
            row("gelu", "forward", .isolated, "typical", "out", worst: 0.25),
            row("gelu", "backward", .isolated, "typical", "dinp", worst: failing ? .infinity : 0.5),
            row("matmul", "forward", .chained, "tiny h.0", "qkv", worst: 0.125),
        ]
        let blame = VerificationReport.Blame(
            operation: "gelu", pass: "backward", tensor: "dinp", explanation: "gelu backward is wrong")
        return VerificationReport(
            verdict: failing ? .fail : .pass, blamed: failing ? blame : nil,
            fixtures: [.init(path: "a.h5", sha256: "00ff", listed: 3, compared: 3, leftOut: 0)],
            implementations: ["gelu forward": "fast"],
            machine: Machine(
                processor: "P", cores: 2, memory: 4_000_000_000, system: "S", compiler: "Swift", threads: 1),
            commit: "abc1234", flags: ["--only", "gelu"], seconds: 1.5, peakMemory: 12_000_000, rows: rows)
    }

    private func row(
        _ operation: String, _ pass: String, _ mode: ComparisonRow.Mode, _ place: String, _ tensor: String,
        worst: Double
    ) -> ComparisonRow {
        ComparisonRow(
            ComparisonRow.Subject(
                operation: operation, implementation: "fast", pass: pass, mode: mode, isOfState: mode != .isolated,
                case: place, tensor: tensor),
            measure: ComparisonRow.Measure(
                count: 1234, worst: worst, bound: 1e-7, index: [1, 2], expected: 0.5,
                actual: worst.isFinite ? 0.5 : .nan, ulps: 3, rmse: 1e-8, torchRMSE: 2e-8, relative: nil))
    }

    @Test(arguments: [true, false])
    func jsonIsTheWholeRecord(failing: Bool) throws {
        let original = report(failing: failing)
        let data = try JSON.data(original)
        let copy = try JSON.report(VerificationReport.self, from: data)
        #expect(try JSON.data(copy) == data)
        #expect(copy.markdown == original.markdown)
        #expect(copy.rows[1].worst == original.rows[1].worst)
        #expect(copy.rows[1].measure?.actual.isNaN == failing)
    }

    @Test func verdictComesFirst() {
        let markdown = report(failing: true).markdown
        #expect(
            markdown.hasPrefix(
                "# Verification\n\n**FAIL: 1 of 3 comparisons in 1.50 s**"))
        #expect(markdown.contains("Blamed: gelu backward is wrong."))
        let failed = markdown.range(of: "## What failed"), kernels = markdown.range(of: "## Kernels")
        #expect(
            failed != nil && kernels != nil
                && (failed?.lowerBound ?? markdown.endIndex) < (kernels?.lowerBound ?? markdown.startIndex))
        #expect(markdown.contains("worst at [1, 2]: expected 0.5, got nan"))
        #expect(!report(failing: false).markdown.contains("What failed"))
    }

    @Test(arguments: [
        (0.0, "0"), (0.03124, "0.0312"), (1.0, "1.00"), (12.34, "12.3"), (123.4, "123"), (1234, "1.23e+03"),
        (1.234e-8, "1.23e-08"), (.infinity, "inf"), (.nan, "nan"),
    ])
    func numbers(_ value: Double, _ text: String) { #expect(Formatting.number(value) == text) }

    @Test func plainTablesLineUp() {
        #expect(Formatting.plain([["a", "b"], ["long", "1"]], right: [1]) == ["a     b", "long  1"])
    }

    @Test func filesAreWholeOrNotThere() throws {
        let folder = try TemporaryFolder()
        let path = folder("inner/file")
        try AtomicFile.write(Data("one".utf8), to: path)
        try AtomicFile.write(Data("two".utf8), to: path)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "two")
        #expect(folder.names(in: "inner") == ["file"])
        #expect(throws: FileWriteError.self) { try AtomicFile.write(Data(), to: folder("inner")) }
        #expect(throws: FileWriteError.self) { try AtomicFile.write(Data(), to: path + "/below") }
    }
}
