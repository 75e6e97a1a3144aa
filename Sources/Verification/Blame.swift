import Reporting

/// Finds what is to blame among the rows of all fixtures.
enum Blame {
    /// The first kernel that failed isolated; failing that, the wiring at the first tensor that left its band; nil when
    /// all rows hold.
    static func of(_ rows: [ComparisonRow]) -> VerificationReport.Blame? {
        let failures = rows.filter { $0.verdict == .fail }
        if let row = failures.first(where: {
            [.isolated, .drawn].contains($0.mode) && ![model, library].contains($0.operation) && !$0.isWiring
        }) {
            return VerificationReport.Blame(
                operation: row.operation, pass: row.pass, tensor: row.tensor,
                explanation: "\(row.operation) \(row.pass) (\(row.implementation)) is wrong on "
                    + "\(row.mode == .drawn ? "drawn" : "the reference's") inputs: "
                    + "\(row.tensor) \(row.isOfState ? "of" : "in the case") \(row.case)\(row.note.map { ": \($0)" } ?? "")"
            )
        }
        if let row = failures.first(where: { $0.operation == library }) {
            return VerificationReport.Blame(
                operation: row.operation, pass: row.pass, tensor: row.tensor,
                explanation: "\(row.case): \(row.note ?? row.tensor)")
        }
        // The model's own outputs come in the order of execution; what a tensor fails on alone is the last resort.
        guard let row = failures.first(where: { $0.mode == .chained }) ?? failures.first else { return nil }
        let wasTried = rows.contains { $0.mode == .isolated }
        return VerificationReport.Blame(
            operation: nil, pass: nil, tensor: row.tensor,
            explanation: (wasTried
                ? "every kernel holds on the reference's inputs, so the wiring is wrong: "
                : "no kernel was tried alone, so a kernel or the wiring is wrong: ")
                + "\(row.tensor) of \(row.case) is the first tensor to leave its band (\(row.mode.rawValue), after "
                + "\(row.operation) \(row.pass))")
    }

    /// The operation of rows that speak of a shared library as such.
    static let library = "library"
    /// The operation of rows that no kernel wrote.
    static let model = "model"
}
