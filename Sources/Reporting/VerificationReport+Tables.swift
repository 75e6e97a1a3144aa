import Platform

/// Tables for a terminal of 80 columns; the first line of each is its heading, and one of no rows has no lines.
extension VerificationReport {
    /// Each kernel that was judged alone in one line.
    public var kernelLines: [String] {
        let rows = rows.filter { !$0.isOfState }
        let modes = [(ComparisonRow.Mode.isolated, "cases"), (.drawn, "drawn")].filter { mode, _ in
            rows.contains { $0.mode == mode }
        }
        let kernels = KernelSummary.ofKernels(rows)
        return Self.table(
            ["kernel", "by"] + modes.map(\.1) + ["worst", "torch", ""],
            kernels.map { kernel in
                ["\(kernel.operation) \(kernel.pass)", kernel.implementation.shortened(to: 13)]
                    + modes.map { Formatting.count(kernel.calls(in: $0.0)) }
                    + [Self.worst(kernel), Self.ratio(kernel), kernel.failed == 0 ? "ok" : "FAIL"]
            }, right: Set(2..<modes.count + 4))
    }

    /// Each whole model in one line: in each mode the tensors compared, and the worst of them.
    public var modelLines: [String] {
        let rows = rows.filter(\.isOfState)
        let modes = [ComparisonRow.Mode.isolated, .chained, .training].filter { mode in
            rows.contains { $0.mode == mode }
        }
        return Self.table(
            ["model"] + modes.flatMap { [$0.rawValue, "worst"] } + [""],
            ComparisonRow.grouped(rows, by: \.model).map { rows in
                let cells = modes.flatMap { mode in
                    let rows = rows.filter { $0.mode == mode }
                    return [
                        Formatting.count(rows.count), rows.isEmpty ? "-" : Self.worst(KernelSummary(rows)),
                    ]
                }
                return [rows[0].model.shortened(to: 16)] + cells + [Self.mark(rows)]
            }, right: Set(1...2 * max(modes.count, 1)))
    }

    // MARK: - Details

    /// Every result of every kernel's cases, all cases together.
    public var resultLines: [String] {
        Self.table(
            ["kernel", "result", "calls", "worst", "digits", "torch", ""],
            ComparisonRow.grouped(rows.filter { !$0.isOfState }) { "\($0.kernel) \($0.tensor)" }.map { rows in
                let summary = KernelSummary(rows)
                return [
                    rows[0].kernel, rows[0].tensor.shortened(to: 13),
                    Formatting.count(rows.reduce(0) { $0 + $1.calls }), Self.worst(summary), Self.digits(summary),
                    Self.ratio(summary), Self.mark(rows),
                ]
            }, right: [2, 3, 4, 5])
    }

    /// Every activation and gradient of every model, layer by layer, isolated beside chained.
    public var layerLines: [String] {
        let rows = rows.filter { $0.isOfState && $0.mode != .training }
        return Self.table(
            ["model", "tensor", "by", "isolated", "chained", ""],
            ComparisonRow.grouped(rows) { "\($0.case) \($0.tensor)" }.map { rows in
                func worst(_ mode: ComparisonRow.Mode) -> String {
                    let rows = rows.filter { $0.mode == mode }
                    return rows.isEmpty ? "-" : Self.worst(KernelSummary(rows))
                }
                return [
                    rows[0].case.shortened(to: 9), rows[0].tensor.shortened(to: 30),
                    rows[0].operation.shortened(to: 12), worst(.isolated), worst(.chained), Self.mark(rows),
                ]
            }, right: [3, 4])
    }

    /// Every parameter followed through training, with its moments.
    public var trainingLines: [String] {
        let rows = rows.filter { $0.mode == .training }
        return Self.table(
            ["model", "trained", "compared", "worst", "torch", ""],
            ComparisonRow.grouped(rows) { "\($0.model) \($0.tensor.split(separator: " ").last ?? "")" }.map { rows in
                let summary = KernelSummary(rows)
                return [
                    rows[0].model.shortened(to: 9), rows[0].tensor.shortened(to: 36), String(rows.count),
                    Self.worst(summary), Self.ratio(summary), Self.mark(rows),
                ]
            }, right: [2, 3, 4])
    }

    // MARK: - Cells

    private static func worst(_ summary: KernelSummary) -> String {
        summary.worst.map { Formatting.fraction($0) } ?? "-"
    }

    private static func digits(_ summary: KernelSummary) -> String {
        summary.digits.map { Formatting.digits($0) } ?? "-"
    }

    private static func ratio(_ summary: KernelSummary) -> String {
        summary.errorRatio.map { Formatting.ratio($0) } ?? "-"
    }

    private static func mark(_ rows: [ComparisonRow]) -> String {
        rows.allSatisfy { $0.verdict == .pass } ? "ok" : "FAIL"
    }

    private static func table(_ header: [String], _ rows: [[String]], right: Set<Int>) -> [String] {
        rows.isEmpty ? [] : Formatting.plain([header] + rows, right: right)
    }
}

extension ComparisonRow {
    /// The model that a row of a debug state is about: `tiny` of `tiny h.0`.
    fileprivate var model: String { String(`case`.prefix { $0 != " " }) }
}

extension String {
    /// The text, its middle replaced by `…` where it is longer than `width`.
    fileprivate func shortened(to width: Int) -> String {
        count <= width ? self : String(prefix(width / 2 - 1)) + "…" + String(suffix(width - width / 2))
    }
}
