import Platform

extension VerificationReport {
    /// The verdict in one line.
    public var headline: String {
        let failed = rows.count { $0.verdict == .fail }
        let worst = Formatting.number(rows.map(\.worst).max() ?? 0)
        let comparisons = "\(Formatting.count(compared)) comparisons in \(Formatting.seconds(seconds))"
        return switch verdict {
        case .pass: "PASS: \(comparisons), the worst at \(worst) of its bound"
        case .fail: "FAIL: \(Formatting.count(failed)) of \(comparisons), the worst at \(worst) of its bound"
        }
    }

    /// Every result of every kernel's cases, in lines for a terminal of 80 columns; the first is the heading.
    public var caseLines: [String] {
        let groups = Self.grouped(rows.filter { !$0.isOfState }) { "\($0.operation) \($0.pass) \($0.tensor)" }
        return Self.table(
            ["kernel", "result", "by", "cases", "worst", "torch", ""],
            groups.map { group in
                [
                    "\(group.first.operation) \(group.first.pass)", group.first.tensor, group.first.implementation,
                    String(group.rows.count), Formatting.number(group.worst), group.versusTorch, group.mark,
                ]
            }, right: [3, 4, 5])
    }

    /// Every activation and gradient of every model, layer by layer, isolated beside chained, in lines for a terminal of
    /// 80 columns; the first is the heading.
    public var layerLines: [String] {
        let groups = Self.grouped(rows.filter { $0.isOfState && $0.mode != .training }) { "\($0.case) \($0.tensor)" }
        return Self.table(
            ["model", "tensor", "by", "isolated", "chained", ""],
            groups.map { group in
                func worst(_ mode: ComparisonRow.Mode) -> String {
                    group.rows.filter { $0.mode == mode }.map(\.worst).max().map { Formatting.number($0) } ?? "-"
                }
                return [
                    group.first.case, group.first.tensor.shortened(to: 31), group.first.operation.shortened(to: 12),
                    worst(.isolated), worst(.chained), group.mark,
                ]
            }, right: [3, 4])
    }

    /// Every parameter followed through training, with its moments, in lines for a terminal of 80 columns; the first is
    /// the heading.
    public var trainingLines: [String] {
        let groups = Self.grouped(rows.filter { $0.mode == .training }) { row in
            "\(row.case.prefix { $0 != " " }) \(row.tensor.split(separator: " ").last ?? "")"
        }
        return Self.table(
            ["model", "trained", "compared", "worst", "torch", ""],
            groups.map { group in
                [
                    String(group.first.case.prefix { $0 != " " }), group.first.tensor.shortened(to: 40),
                    String(group.rows.count), Formatting.number(group.worst), group.versusTorch, group.mark,
                ]
            }, right: [2, 3, 4])
    }

    /// What each shared library has and has not, in words.
    public var libraryLines: [String] {
        libraries.flatMap { library in
            let count =
                "\(library.name): \(library.provided.count) of "
                + "\(library.provided.count + library.missing.count) kernels"
            return [library.missing.isEmpty ? count : "\(count); not provided, and taken from reference:"]
                + library.missing.map { "    \($0)" }
        }
    }

    /// What failed, in words.
    public var failureLines: [String] {
        let failures = rows.filter { $0.verdict == .fail }
        let shown = 8
        return failures.prefix(shown).flatMap { row in
            ["\(row.operation) \(row.pass), \(row.mode.rawValue), \(row.case): \(row.tensor)"]
                + row.finding.split(separator: ";").map { "    " + $0.drop { $0 == " " } }
        } + (failures.count > shown ? ["and \(failures.count - shown) more; see the report"] : [])
    }

    private struct Group {
        var rows: [ComparisonRow]

        var first: ComparisonRow { rows[0] }
        var worst: Double { rows.map(\.worst).max() ?? 0 }
        var mark: String { rows.allSatisfy { $0.verdict == .pass } ? "ok" : "FAIL" }
        var versusTorch: String { KernelSummary.of(rows)[0].errorRatio.map { Formatting.number($0) } ?? "-" }
    }

    /// The rows by key, in the order in which keys first appear.
    private static func grouped(_ rows: [ComparisonRow], by key: (ComparisonRow) -> String) -> [Group] {
        var indices: [String: Int] = [:]
        var groups: [Group] = []
        for row in rows {
            if let index = indices[key(row)] {
                groups[index].rows.append(row)
            } else {
                indices[key(row)] = groups.count
                groups.append(Group(rows: [row]))
            }
        }
        return groups
    }

    private static func table(_ header: [String], _ rows: [[String]], right: Set<Int>) -> [String] {
        rows.isEmpty ? [] : Formatting.plain([header] + rows, right: right)
    }
}

extension ComparisonRow {
    /// What was found, in words.
    public var finding: String {
        let error = measure.flatMap { measure in
            measure.worst > 1
                ? "error \(Formatting.number(measure.worst)) of its bound; worst at \(Formatting.index(measure.index)): "
                    + "expected \(Formatting.exact(measure.expected)), got \(Formatting.exact(measure.actual))"
                    + " (\(Formatting.number(measure.ulps)) ulp)" : nil
        }
        let given = isWiring ? "the kernel gives what the reference kernel gives on the same arguments" : nil
        return [note, explanation?.pattern, error, given].compactMap { $0 }.joined(separator: "; ")
    }
}

extension String {
    /// The text, its middle replaced by `…` where it is longer than `width`.
    fileprivate func shortened(to width: Int) -> String {
        count <= width ? self : String(prefix(width / 2 - 1)) + "…" + String(suffix(width - width / 2))
    }
}
