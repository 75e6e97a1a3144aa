import Fixtures
import GPT2
import HDF5
import Kernels
import Platform
import Reporting

/// Compares what another program wrote of one pass with a debug state, tensor by tensor in the order of execution.
public struct DumpComparison {
    private let reference, candidate: String
    private let progress: ProgressHandler

    /// A comparison of the dump at the path `candidate` with the debug state at `reference`.
    public init(reference: String, candidate: String, progress: @escaping ProgressHandler = { _, _ in }) {
        self.reference = reference
        self.candidate = candidate
        self.progress = progress
    }

    /// Compares every activation and gradient of the state's first step.
    ///
    /// Each must be in the candidate, or be named there as not materialised; the candidate may have no others.
    ///
    /// - Throws: ``FixtureError`` when a file cannot be used, or when there is nothing to compare.
    public func run() throws(FixtureError) -> (outcome: VerificationOutcome, notMaterialised: [String]) {
        let file = try FixtureFile(reference)
        guard file.kind == .state else {
            throw FixtureError(
                file: reference, "it holds the cases of one kernel, and a debug state is needed",
                remedy: "give one such as fixtures/tiny.h5")
        }
        let state = try StateFixture(file)
        let dump = try DumpFile(candidate)
        var model = GPT2<Float>(
            configuration: state.configuration, batch: state.batch, sequence: state.sequence, kernels: KernelSet())
        try file.requireResults(state.expectedResults(of: model))
        let writes = try CallWatcher.executionOrder(of: &model)
        var ledger = Ledger(file: file) { progress(candidate, $0) }
        for write in writes { ledger.expect(.init(mode: .chained, path: write.tensor.path)) }

        var absent: [String] = []
        for write in writes {
            let path = write.tensor.path
            let entry = Ledger.Entry(mode: .chained, path: path)
            if dump.notMaterialised.contains(path), dump.datasets[path] == nil {
                absent.append(path)
                ledger.leaveOut(entry)
            } else {
                try ledger.compare(entry, try compare(write, state, dump))
            }
        }
        let known = Set(writes.map(\.tensor.path))
        for stranger in Set(dump.datasets.keys).union(dump.notMaterialised).subtracting(known).sorted() {
            ledger.report(
                ComparisonRow(
                    Self.subject(state.model, stranger), measure: nil, note: "the reference has no such tensor"))
        }
        let listed = try ledger.close()
        guard listed.compared > 0 else {
            throw FixtureError(
                file: candidate, "nothing in it was compared: it names every tensor as not materialised",
                remedy: DumpFile.remedy)
        }
        let blamed = ledger.rows.first { $0.verdict == .fail }.map { row in
            VerificationReport.Blame(
                operation: nil, pass: nil, tensor: row.tensor,
                explanation: "\(row.tensor) of \(row.case) is the first divergence in the order of execution, after "
                    + "\(row.operation) \(row.pass)")
        }
        let fixtures = [
            listed,
            VerificationReport.Fixture(
                path: candidate, sha256: try FixtureSeal.digest(of: candidate), listed: dump.datasets.count,
                compared: listed.compared, leftOut: 0),
        ]
        return (VerificationOutcome(blamed: blamed, fixtures: fixtures, rows: ledger.rows), absent)
    }

    private func compare(
        _ write: CallWatcher.Write, _ state: StateFixture, _ dump: DumpFile
    ) throws(FixtureError) -> ComparisonRow {
        let (path, shape) = (write.tensor.path, write.tensor.shape)
        let subject = Self.subject(
            write.tensor.block.map { "\(state.model) h.\($0)" } ?? state.model, write.tensor.name, write.kernel)
        func failure(_ note: String) -> ComparisonRow { ComparisonRow(subject, measure: nil, note: note) }
        guard dump.datasets[path] != nil else {
            return failure("the candidate has no \(path), and does not name it as not materialised")
        }
        if dump.notMaterialised.contains(path) {
            return failure("the candidate names it as not materialised, and has it")
        }
        let (type, found) = try dump.describe(path)
        let padding = VocabularyPadding(path, shape, state.configuration)
        guard type == .float32, found == shape || found == padding?.shape else {
            let without = padding.map { " (or \($0.shape), without padding)" } ?? ""
            return failure("it is \(type) of shape \(found), and must be float32 of \(shape)\(without)")
        }
        let values = try dump.read(path)
        let element: (Int) -> Double? =
            found == shape
            ? { Double(values[$0]) } : { padding?.index($0).map { Double(values[$0]) } }
        let measure = ComparisonRow.Measure(
            try state.file.measure(path, shape, write.coverage, element), shape: shape, bandOf: write.roundings)
        return ComparisonRow(
            subject, measure: measure,
            explanation: try state.file.explain(measure, path, shape, write.coverage, element))
    }

    private static func subject(
        _ place: String, _ tensor: String, _ kernel: KernelName? = nil
    ) -> ComparisonRow.Subject {
        ComparisonRow.Subject(kernel, by: "candidate", .chained, place, tensor)
    }
}
