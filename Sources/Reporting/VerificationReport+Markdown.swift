import Platform

extension VerificationReport {
    /// The report as Markdown: the verdict, what failed, each kernel, then every tensor folded away.
    public var markdown: String {
        var parts = ["# Verification", "**\(headline)**"]
        if let blamed { parts += ["Blamed: " + blamed.explanation + "."] }
        let failures = rows.filter { $0.verdict == .fail }
        if !failures.isEmpty {
            let shown = 24
            parts += ["## What failed", Self.table(Array(failures.prefix(shown)), findings: true)]
            if failures.count > shown {
                parts.append(
                    Self.folded(
                        "and \(Formatting.count(failures.count - shown)) more",
                        Self.table(Array(failures.dropFirst(shown)), findings: true)))
            }
            parts += mapParts
        }
        parts += ["## Kernels", kernelTable, reading, "## Every tensor"]
        for mode in ComparisonRow.Mode.allCases {
            let rows = rows.filter { $0.mode == mode }
            guard !rows.isEmpty else { continue }
            parts.append(
                Self.folded(
                    "\(mode.rawValue): \(Formatting.count(rows.count)) tensors", Self.table(rows, findings: false)))
        }
        let remarks = rows.compactMap { row in row.remark.map { "- \(row.kernel), `\(row.tensor)`: \($0)" } }
        if !remarks.isEmpty { parts += ["## Worth knowing", remarks.joined(separator: "\n")] }
        if !libraries.isEmpty { parts += ["## Libraries", libraryTable] }
        parts += ["## Fixtures", fixtureTable, "## Run", facts]
        return parts.joined(separator: "\n\n") + "\n"
    }

    /// The map of each failed tensor, folded but for the first.
    private var mapParts: [String] {
        let maps = maps
        guard !maps.isEmpty else { return [] }
        let pictures = maps.enumerated().map { number, map in
            let title =
                "\(map.row.operation) \(map.row.pass), \(map.row.mode.rawValue), \(map.row.case): `\(map.row.tensor)`"
            let picture = """
                <picture><source media="(prefers-color-scheme: dark)" srcset="\(map.name).dark.svg">\
                <img alt="Where the errors are" src="\(map.name).light.svg"></picture>
                """
            return number == 0
                ? picture : Self.folded(title, picture)
        }
        let failed = rows.count { $0.verdict == .fail }
        let rest =
            failed > maps.count
            ? ["The first \(maps.count) of \(Formatting.count(failed)) failed tensors have a map."] : []
        return ["### Where the errors are"] + pictures + rest
    }

    private static func folded(_ title: String, _ text: String) -> String {
        "<details><summary>\(title)</summary>\n\n\(text)\n\n</details>"
    }

    private var kernelTable: String {
        Formatting.markdown(
            [
                "mode", "kernel", "implementation", "calls", "comparisons", "worst of bound", "digits",
                "error ÷ PyTorch's", "",
            ],
            KernelSummary.of(rows).map { kernel in
                [
                    kernel.mode.rawValue, "\(kernel.operation) \(kernel.pass)", kernel.implementation,
                    Formatting.count(kernel.calls(in: kernel.mode)), Formatting.count(kernel.tensors),
                    kernel.worst.map { Formatting.fraction($0) } ?? "–",
                    kernel.digits.map { Formatting.digits($0) } ?? "–",
                    kernel.errorRatio.map { Formatting.number($0) } ?? "–",
                    kernel.failed == 0 ? "✓" : "✗ \(kernel.failed)",
                ]
            }, right: [3, 4, 5, 6, 7])
    }

    private var reading: String {
        """
        *Isolated*: each kernel gets the reference's inputs. *Drawn*: each kernel at sizes of the harness's own choosing. \
        *Chained*: the model runs on its own outputs. *Training*: steps of the optimizer. *Worst of bound*: the largest \
        error as a fraction of what rounding explains; above 1 fails. *Digits*: the right decimal digits of 99 in 100 \
        elements, in the worst tensor, of those that owe any: whose bound is smaller than the truth. *Error ÷ PyTorch's*: \
        root mean square error against the float64 truth, as a multiple of PyTorch's in float32, median over the tensors; \
        below 1 is more accurate than PyTorch.
        """
    }

    private static func table(_ rows: [ComparisonRow], findings: Bool) -> String {
        var header = ["kernel", "by", "case", "tensor", "elements", "worst of bound", "rmse", "PyTorch's rmse"]
        header.append(findings ? "finding" : "")
        return Formatting.markdown(
            header,
            rows.map { row in
                [
                    "\(row.operation) \(row.pass)", row.implementation, row.case, "`\(row.tensor)`",
                    Formatting.count(row.measure?.count ?? 0), Formatting.fraction(row.worst),
                    row.measure.map { Formatting.number($0.rmse) } ?? "–",
                    row.measure.map { Formatting.number($0.torchRMSE) } ?? "–",
                    findings ? row.markdownFinding : row.verdict == .pass ? "✓" : "✗",
                ]
            }, right: [4, 5, 6, 7])
    }

    private var fixtureTable: String {
        Formatting.markdown(
            ["file", "comparisons", "left out", "SHA-256"],
            fixtures.map { fixture in
                [
                    "`\(fixture.path)`", "\(Formatting.count(fixture.compared)) of \(Formatting.count(fixture.listed))",
                    Formatting.count(fixture.leftOut), "`\(fixture.sha256)`",
                ]
            }, right: [1, 2])
    }

    private var libraryTable: String {
        Formatting.markdown(
            ["file", "kernels", "not provided; reference stood in"],
            libraries.map { library in
                [
                    "`\(library.path)`", String(library.provided.count),
                    library.missing.isEmpty ? "–" : library.missing.joined(separator: ", "),
                ]
            }, right: [1])
    }

    private var facts: String {
        """
        \(runLines.joined(separator: "\n"))
        - Time \(Formatting.seconds(seconds)), peak memory \(Formatting.count(peakMemory / 1_000_000)) MB
        """
    }
}

extension ComparisonRow {
    /// What was found, and the command that repeats it, in a cell of a table.
    fileprivate var markdownFinding: String {
        "\(mode.rawValue): \(finding)" + (repetition.map { "<br>`\($0)`" } ?? "")
    }
}
