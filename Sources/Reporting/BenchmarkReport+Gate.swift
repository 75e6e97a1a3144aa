import Platform

extension BenchmarkReport {
    /// The gate's verdict in one line.
    var gateHeadline: String? {
        guard let gate else { return nil }
        let counts = GateOutcome.Finding.Kind.allCases.compactMap { kind in
            let count = gate.findings.count { $0.kind == kind }
            return count == 0 ? nil : "\(count) \(kind.rawValue)"
        }
        let names = gate.findings.map { "\($0.kernel): \($0.kind.rawValue)" }
        return counts.isEmpty
            ? "PASS: \(gate.head) is right, as accurate and as fast as \(gate.base), "
                + "in \(rows.count) timings"
            : "FAIL: \(counts.joined(separator: ", ")) (\(names.prefix(2).joined(separator: "; "))"
                + (names.count > 2 ? " …)" : ")")
    }

    /// What the gate found, and what it could have found, in lines of at most 80 columns.
    public var gateLines: [String] {
        guard let gate else { return [] }
        return gate.findings.flatMap { Self.wrapped("\($0.kind.rawValue): \($0.kernel): \($0.text)") }
            + gate.remarks.flatMap { Self.wrapped("note: \($0)") } + noiseLines + [""]
    }

    /// The gate's report as Markdown for a pull request.
    public func gateMarkdown(withDrawings: Bool) -> String {
        guard let gate else { return "" }
        var parts = ["# Gate: \(gate.head) against \(gate.base)", "**\(headline).**"]
        if !gate.findings.isEmpty {
            parts.append(
                Formatting.markdown(
                    ["", "kernel", "finding"], gate.findings.map { ["**\($0.kind.rawValue)**", $0.kernel, $0.text] }))
        }
        if !gate.remarks.isEmpty { parts.append(gate.remarks.map { "- \($0)" }.joined(separator: "\n")) }
        parts.append(noiseText)
        let told = rows.filter { $0.timings[1].comparison.map { $0.verdict != .same } ?? true }
        if !told.isEmpty { parts += ["## What is not the same", changeTable(told)] }
        let same = rows.filter { $0.timings[1].comparison.map { $0.verdict == .same } ?? false }
        if !same.isEmpty {
            parts.append(
                "<details><summary>\(same.count) timings are the same within the noise</summary>\n\n"
                    + changeTable(same) + "\n\n</details>")
        }
        if withDrawings { parts += forests().compactMap(picture) }
        parts += [method, "## What is left open", (limits + standingLimits).map { "- \($0)." }.joined(separator: "\n")]
        parts += ["## Run", facts]
        return parts.joined(separator: "\n\n") + "\n"
    }

    private func changeTable(_ rows: [Row]) -> String {
        Formatting.markdown(
            [
                "kernel", "shape", "threads", "head", "base", "head is faster by", "pairs", "", "error, head",
                "error, base",
            ],
            rows.map { row in
                let (head, base) = (row.timings[0], row.timings[1])
                return [
                    row.kernel, "\(row.shape) \(row.place)", "\(row.threads)",
                    head.seconds.map(Formatting.seconds) ?? head.reason ?? "–",
                    base.seconds.map(Formatting.seconds) ?? base.reason ?? "–",
                    base.comparison.map(Self.interval) ?? "–", base.comparison.map { "\($0.pairs)" } ?? "–",
                    base.comparison?.verdict.rawValue ?? "", Self.error(head), Self.error(base),
                ]
            }, right: [2, 3, 4, 5, 6, 8, 9])
    }

    private static func error(_ timing: Timing) -> String {
        timing.accuracy.map { "\(Formatting.number($0.worst)), typically \(Formatting.number($0.typical))" } ?? "–"
    }
}
