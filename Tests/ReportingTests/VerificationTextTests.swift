import Foundation
import Platform
import Reporting
import Testing

/// What `verify` shows on a terminal of 80 columns.
struct VerificationTextTests {
    /// The longest names that kernels have, and what a library and a case of a person's own may be called.
    private static let operation = "crossentropy_softmax", library = "a-library-of-my-own-with-a-long-name.so"
    private static let drawn = "drawn:B=65537,T=65537,C=65537,OC=65537,-dbias,overwrites=activations+parameters"
    private static let command =
        "swift run verify --kernels ./libmine.so --case \(operation)/backward/\(drawn) --seed 1"

    private static func measure(_ worst: Double) -> ComparisonRow.Measure {
        .init(
            count: 1 << 40, worst: worst, bound: 1e-7, index: [1023, 1023, 1023, 1023], expected: -1.23456789e-38,
            actual: -9.87654321e-38, ulps: 1e300, rmse: 1e-3, torchRMSE: 1e-300,
            relative: ComparisonRow.RelativeErrors(
                count: 9, withoutDigits: 1, worst: .nan, median: 0, percentile99: 1e-38))
    }

    private static func row(
        _ mode: ComparisonRow.Mode, _ place: String, _ tensor: String, worst: Double, isOfState: Bool = false,
        note: String? = nil, calls: Int = 1
    ) -> ComparisonRow {
        var row = ComparisonRow(
            .init(
                operation: operation, implementation: library, pass: "backward", mode: mode, isOfState: isOfState,
                case: place, tensor: tensor),
            measure: measure(worst), note: note,
            explanation: worst > 1 ? .init(pattern: "every element of a row, a factor of 1.23456", heat: nil) : nil,
            calls: calls)
        if row.verdict == .fail { row.repetition = command }
        return row
    }

    private static func report(worst: Double) -> VerificationReport {
        let long = "dtransformer.h.47.attn.c_attn.weight"
        let rows =
            (0..<12_345).map { row(.isolated, "case-\($0)", "dlogits", worst: worst) }
            + [
                row(
                    .drawn, drawn, "dlogits", worst: worst,
                    note: worst > 1 ? "the kernel ended its process, with exit code 3, saying 'giving up'" : nil),
                row(.drawn, "88888 drawn calls", "dlogits", worst: 0.5, calls: 88_888),
            ]
            + [ComparisonRow.Mode.isolated, .chained, .training].map {
                row($0, "a-model-with-a-long-name h.47", long, worst: worst, isOfState: true)
            }
        return VerificationReport(
            verdict: worst > 1 ? .fail : .pass,
            blamed: worst > 1
                ? .init(
                    operation: operation, pass: "backward", tensor: "dlogits",
                    explanation: "\(operation) backward (\(library)) is wrong on drawn inputs: dlogits of \(drawn)")
                : nil,
            fixtures: [], drawn: .init(calls: 100_000, seed: .max), implementations: [:],
            libraries: [
                .init(name: "mine", path: "./mine", provided: [], missing: (0..<21).map { "operation\($0) backward" })
            ], machine: .current(threads: 1), commit: nil, flags: [], seconds: 1234, peakMemory: 1, rows: rows)
    }

    private static func lines(of report: VerificationReport) -> [String] {
        [
            report.kernelLines, report.modelLines, report.resultLines, report.layerLines, report.trainingLines,
            report.libraryLines, report.failureLines, report.legendLines(withDetails: true), report.blameLines, [report.headline],
        ].flatMap(\.self)
    }

    @Test(arguments: [0, 1e-9, 0.99999, 1.00001, 9.999, 1e300, .infinity, .nan])
    func everyLineFits(worst: Double) {
        let lines = Self.lines(of: Self.report(worst: worst.isNaN ? .infinity : worst))
        for line in lines where line.count > 80 {
            // A word is not broken: what is copied has to stay whole.
            #expect(line.contains(Self.drawn) && !line.hasPrefix("    crossentropy"), "\(line.count): \(line)")
        }
        #expect(lines.count > 20)
    }

    @Test func aKernelThatHoldsIsOneLine() {
        let lines = Self.report(worst: 0.25).kernelLines
        #expect(lines.count == 2)
        #expect(lines[0].split(separator: " ") == ["kernel", "by", "cases", "drawn", "worst", "torch"])
        let words = lines[1].replacing("\u{2009}", with: "").split(separator: " ").dropFirst(2)
        #expect(words.dropFirst().prefix(3) == ["12345", "88889", "0.500"] && words.last == "ok", "\(lines[1])")
    }

    @Test func aModelIsOneLine() {
        let lines = Self.report(worst: 0.25).modelLines
        #expect(lines.count == 2)
        #expect(lines[1].hasSuffix("1  0.250        1  0.250         1  0.250  ok"), "\(lines[1])")
        #expect(Self.report(worst: 2).modelLines[1].hasSuffix("FAIL"))
    }

    @Test func headlines() {
        let held = Self.report(worst: 0.25).headline.replacing("\u{2009}", with: "")
        #expect(held == "PASS: 12348 comparisons, 88889 drawn calls in 1.23e+03 s, worst 0.500")
        let failed = Self.report(worst: 2).headline.replacing("\u{2009}", with: "")
        #expect(failed == "FAIL: 12348 of 12348 comparisons, 1 of 88889 drawn calls in 1.23e+03 s")
    }

    /// Two failures of each kernel tell what is wrong, and where it lies next to the prompt.
    @Test func failuresAreFew() {
        let report = Self.report(worst: 2)
        let titles = report.failureLines.filter { $0.hasPrefix(Self.operation) }
        #expect(
            titles.map { $0.prefix(50) }
                == (0..<2).map { "crossentropy_softmax backward, isolated, case-\($0): d".prefix(50) })
        #expect(report.failureLines.contains { $0.hasPrefix("and 12\u{2009}347 more") })
        #expect(report.blameLines.first?.hasPrefix("Blamed: crossentropy_softmax backward") == true)
    }

    /// Copied from the terminal, the command is the same as in every other form of the report.
    @Test func everyFailureHasItsCommand() throws {
        let report = Self.report(worst: 2)
        for lines in [report.failureLines, report.blameLines] {
            let start = try #require(lines.firstIndex { $0.contains("repeat: ") })
            var command = ""
            for line in lines[start...] {
                command += line.trimmingCharacters(in: .whitespaces)
                guard command.hasSuffix("\\") else { break }
                command.removeLast()
            }
            #expect(command == "repeat: " + Self.command)
        }
        #expect(report.markdown.contains("<br>`\(Self.command)` |"))
        #expect(report.junit.matches(of: />repeat: [^<]*<\/failure>/).count == 12_349)
        #expect(report.junit.contains(">repeat: \(Self.command)</failure>"))
        let copy = try JSON.report(VerificationReport.self, from: JSON.data(report))
        #expect(copy.rows.allSatisfy { ($0.repetition == Self.command) == ($0.verdict == .fail) })
    }

    @Test(arguments: [
        (0.0, "0"), (1e-9, "1e-09"), (0.0123, "0.012"), (0.9999, "0.999"), (1, "1.00"), (1.0001, "1.01"),
        (29.94, "29.9"), (123.4, "123"), (999.9, "1e+03"), (.infinity, "inf"),
    ])
    func fractions(_ value: Double, _ text: String) { #expect(Formatting.fraction(value) == text) }
}
