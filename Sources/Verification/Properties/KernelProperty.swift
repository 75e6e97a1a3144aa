import Accuracy
import Kernels
import Reporting
import Sentinel

/// What is asked of every kernel besides right numbers, each tried on small drawn calls.
enum KernelProperty: String, CaseIterable, Sendable {
    /// That it does nothing but compute, see ``ConductTrial``.
    case conduct
    /// That NaN and infinities go where they must, see ``NonFiniteTrial``.
    case nonfinite
    /// That results depend on nothing that they must not, see ``IndependenceTrial``.
    case independence
}

/// What a trial of a property found at a result.
struct PropertyFinding {
    /// The result.
    let argument: Argument
    /// The elements looked at.
    var count = 0
    /// What is wrong, in words: of many things of a kind the first few.
    private(set) var notes: [String] = []
    /// What is worth knowing of it and not wrong.
    private(set) var remarks: [String] = []

    private static let most = 3

    init(_ argument: Argument) { self.argument = argument }

    /// Notes what is wrong; each note once.
    mutating func note(_ text: String) {
        if notes.count < Self.most, !notes.contains(text) { notes.append(text) }
    }

    /// Notes what is not wrong.
    mutating func remark(_ text: String) { remarks.append(text) }

    /// The row of a report.
    func row(_ subject: ComparisonRow.Subject, isAllowed: Bool) -> ComparisonRow {
        let measure = ComparisonRow.Measure(
            count: count, worst: 0, bound: 0, index: argument.shape.map { _ in 0 }, expected: 0, actual: 0, ulps: 0,
            rmse: 0, torchRMSE: 0, relative: nil)
        let text = ComparisonRow.note(notes)
        return ComparisonRow(
            subject, measure: measure, note: isAllowed ? nil : text, allowed: isAllowed ? text : nil,
            remark: ComparisonRow.note(remarks))
    }
}
