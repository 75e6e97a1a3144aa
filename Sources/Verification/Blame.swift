import Reporting

/// Finds what is to blame among the rows of all fixtures.
enum Blame {
    /// The first kernel that failed isolated; failing that, the wiring at the first tensor that left its band; nil when
    /// all rows hold.
    static func of(_ rows: [ComparisonRow]) -> VerificationReport.Blame? {
        let failures = rows.filter { $0.verdict == .fail }
        if let row = failures.first(where: { $0.mode == .isolated && $0.operation != model }) {
            return VerificationReport.Blame(
                operation: row.operation, pass: row.pass, tensor: row.tensor,
                explanation: "\(row.operation) \(row.pass) (\(row.implementation)) is wrong on the reference's inputs: "
                    + "\(row.tensor) of \(row.case)\(row.note.map { ": \($0)" } ?? "")")
        }
        guard let row = failures.first else { return nil }
        return VerificationReport.Blame(
            operation: nil, pass: nil, tensor: row.tensor,
            explanation: "every kernel holds on the reference's inputs, so the wiring is wrong: \(row.tensor) of "
                + "\(row.case) is the first tensor to leave its band (\(row.mode.rawValue), after \(row.operation) "
                + "\(row.pass))")
    }

    /// The operation of rows that no kernel wrote.
    static let model = "model"
}
