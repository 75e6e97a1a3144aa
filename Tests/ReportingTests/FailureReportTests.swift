import Foundation
import FoundationXML
import Platform
import Reporting
import Testing

/// What a failed verification leaves behind: maps, JUnit, and a self-test that does not hold.
struct FailureReportTests {
    private func report(failing: Bool) -> VerificationReport {
        let row = ComparisonRow(
            ComparisonRow.Subject(
                operation: "gelu", implementation: "mine", pass: "forward", mode: .isolated, isOfState: false,
                case: "typical", tensor: "out"),
            measure: ComparisonRow.Measure(
                count: 6, worst: failing ? 12 : 0.5, bound: 1e-7, index: [1, 2], expected: 0.5, actual: 0.6, ulps: 3,
                rmse: 1e-8, torchRMSE: 2e-8, relative: nil),
            note: failing ? "the kernel ended its process, saying '\u{1}'" : nil,
            explanation: failing
                ? ComparisonRow.Explanation(
                    pattern: "one row, [1], <odd> & \"quoted\"",
                    heat: HeatMap(shape: [2, 3]) { [0.5, 0, 1, 2, 2000, .nan][$0] }) : nil, seconds: 0.25)
        return VerificationReport(
            verdict: failing ? .fail : .pass, blamed: nil, fixtures: [], implementations: [:],
            machine: Machine.current(threads: 1), commit: nil, flags: [], seconds: 1, peakMemory: 1, rows: [row])
    }

    @Test func mapsShowWhereErrorsAre() {
        let map = HeatMap(shape: [2, 3]) { [0.5, 0, 1, 2, 2000, .nan][$0] }
        #expect(map.cells == ["000", "14x"])
        let causal = HeatMap(shape: [2, 2]) { $0 == 1 ? nil : 0 }
        #expect(causal.cells == ["0 ", "00"])
        // A cell of a large tensor holds the largest error of its block.
        let large = HeatMap(shape: [1000, 1000]) { $0 == 999_999 ? 50 : 0 }
        #expect(large.cells.count == 32 && large.cells.allSatisfy { $0.count == 64 })
        #expect(large.cells.joined().filter { $0 != "0" } == "2" && large.cells.last?.last == "2")
    }

    @Test func failuresHaveDrawingsAndPassesHaveNone() throws {
        let failed = try report(failing: true).files()
        let drawings = failed.filter { $0.name.hasSuffix(".svg") }
        #expect(
            drawings.count == 2 && drawings.allSatisfy { String(decoding: $0.data, as: UTF8.self).contains("<svg") })
        let markdown = report(failing: true).markdown
        for drawing in drawings { #expect(markdown.contains(drawing.name)) }
        #expect(try report(failing: false).files().map(\.name) == ["verify.json", "verify.md", "verify.junit.xml"])
    }

    @Test(arguments: [true, false])
    func junitCountsFailures(failing: Bool) throws {
        let xml = report(failing: failing).junit
        #expect(xml.contains("<testsuites name=\"verify\" tests=\"1\" failures=\"\(failing ? 1 : 0)\""))
        #expect(xml.contains("<failure ") == failing)
        if failing { #expect(xml.contains("&lt;odd&gt; &amp; &quot;quoted&quot;")) }
        #expect(XMLParser(data: Data(xml.utf8)).parse())
        #expect(xml.matches(of: #/ time="([0-9.]+)"/#).map(\.1) == ["1.000000", "0.250000", "0.250000"])
    }

    @Test func aSelfTestHoldsOnlyIfAllIsWell() {
        func holds(
            blamed: String?, alarms: Int = 0, faults: Int = 1, variants: Int = 1, drawn: Int = 1,
            fractions: [Double] = [0.5], caught: [Int] = [300]
        ) -> Bool {
            SelfTestReport(
                faults: (0..<faults).map { _ in
                    SelfTestReport.PlantedFault(name: "bug", origin: "gelu forward", blamed: blamed, finding: nil)
                },
                variants: variants, drawnVariants: drawn, models: 1,
                falseAlarms: (0..<alarms).map { _ in
                    SelfTestReport.FalseAlarm(kernel: "gelu forward", choices: "", finding: "")
                }, searched: 1,
                tightness: fractions.map {
                    SelfTestReport.Tightness(
                        kernel: "gelu forward", result: "out", fraction: $0, index: [0], case: "one", choices: "",
                        expected: 1, actual: 1)
                },
                detection: caught.map { .init(what: "a tile", error: 1e-4, tried: 300, caught: $0, required: 0.99) },
                seed: 1, machine: .current(threads: 1), commit: nil, seconds: 1
            ).holds
        }
        #expect(holds(blamed: "gelu forward"))
        #expect(!holds(blamed: nil))
        #expect(!holds(blamed: "gelu backward"))
        #expect(!holds(blamed: "gelu forward", alarms: 1))
        #expect(!holds(blamed: "gelu forward", faults: 0))
        #expect(!holds(blamed: "gelu forward", variants: 0))
        #expect(!holds(blamed: "gelu forward", fractions: [0.5, 1.01]))
        #expect(!holds(blamed: "gelu forward", fractions: []))
        #expect(!holds(blamed: "gelu forward", drawn: 0))
        #expect(!holds(blamed: "gelu forward", caught: []))
        #expect(!holds(blamed: "gelu forward", caught: [300, 299]))
    }
}
