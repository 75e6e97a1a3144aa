import Foundation

extension VerificationReport {
    /// The report in the XML of JUnit, which continuous integration shows: a suite for each mode and kernel, a test for
    /// each tensor. Times are those of ``ComparisonRow/seconds``, and of the whole run.
    ///
    /// Source: the schema that Jenkins and GitLab read, github.com/testmoapp/junitxml.
    public var junit: String {
        var suites: [(name: String, rows: [ComparisonRow])] = []
        for row in rows {
            let name = "\(row.mode.rawValue) \(row.operation) \(row.pass)"
            if let index = suites.firstIndex(where: { $0.name == name }) {
                suites[index].rows.append(row)
            } else {
                suites.append((name, [row]))
            }
        }
        func time(_ seconds: Double?) -> String { seconds.map { #" time="\#(Self.fixed($0))""# } ?? "" }
        func failures(_ rows: [ComparisonRow]) -> Int { rows.count { $0.verdict == .fail } }
        var lines = [
            #"<?xml version="1.0" encoding="UTF-8"?>"#,
            #"<testsuites name="verify" tests="\#(rows.count)" failures="\#(failures(rows))""#
                + time(seconds) + ">",
        ]
        for suite in suites {
            lines.append(
                #"  <testsuite name="\#(suite.name.escapedForXML)" tests="\#(suite.rows.count)" "#
                    + #"failures="\#(failures(suite.rows))""# + time(Self.sum(suite.rows.map(\.seconds))) + ">")
            for row in suite.rows {
                let name = "\(row.case): \(row.tensor)".escapedForXML
                let opening =
                    #"    <testcase classname="\#(suite.name.escapedForXML)" name="\#(name)""#
                    + time(row.seconds)
                guard row.verdict == .fail else {
                    lines.append(opening + "/>")
                    continue
                }
                lines.append(opening + ">")
                let message = #"      <failure message="\#(row.finding.escapedForXML)""#
                lines.append(
                    message + (row.repetition.map { ">repeat: \($0.escapedForXML)</failure>" } ?? "/>"))
                lines.append("    </testcase>")
            }
            lines.append("  </testsuite>")
        }
        return (lines + ["</testsuites>", ""]).joined(separator: "\n")
    }

    /// The sum of those times that were taken; nil where none was.
    private static func sum(_ times: [Double?]) -> Double? {
        let taken = times.compactMap(\.self)
        return taken.isEmpty ? nil : taken.reduce(0, +)
    }

    /// Seconds as the schema's decimal, which knows no exponent.
    private static func fixed(_ seconds: Double) -> String { String(format: "%.6f", seconds) }
}
