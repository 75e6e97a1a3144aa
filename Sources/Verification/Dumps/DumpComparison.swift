import Fixtures
import GPT2
import HDF5
import Kernels
import Platform
import Reporting

/// Compares what another program wrote of one pass with a debug state, tensor by tensor in the order of execution.
public struct DumpComparison {
    private let reference, candidate: String
    private let followsLinks: Bool
    private let progress: ProgressHandler

    /// A comparison of the dump at the path `candidate` with the debug state at `reference`; what the dump's links name in
    /// other files is part of it if they are to be followed.
    public init(
        reference: String, candidate: String, followingLinks followsLinks: Bool = false,
        progress: @escaping ProgressHandler = { _, _ in }
    ) {
        self.reference = reference
        self.candidate = candidate
        self.followsLinks = followsLinks
        self.progress = progress
    }

    /// What was found.
    public struct Findings {
        /// The judgement of the tensors that fit in form; what does not is one failed row of its own, and no kernel's.
        public let outcome: VerificationOutcome
        /// The tensors that the candidate names as not materialised, in the order of execution.
        public let notMaterialised: [String]
        /// How many of the tensors judged the candidate holds in each type other than float32.
        public let otherTypes: [(name: String, count: Int)]
        /// What of the candidate's form is not the reference's, so that not all could be judged; nil where all fits.
        public let misfit: FixtureError?
    }

    /// Compares every activation and gradient of the state's first step.
    ///
    /// Each must be in the candidate, or be named there as not materialised; the candidate may have no others.
    ///
    /// - Throws: ``FixtureError`` when a file cannot be used, or when there is nothing to compare.
    public func run() throws(FixtureError) -> Findings {
        let file = try FixtureFile(reference)
        guard file.kind == .state else {
            throw FixtureError(
                file: reference, "it holds the cases of one kernel, and a debug state is needed",
                remedy: "give one such as fixtures/tiny.h5")
        }
        let state = try StateFixture(file)
        let dump = try DumpFile(candidate, followingLinks: followsLinks)
        let digest = try FixtureSeal.digest(of: candidate)
        var model = GPT2<Float>(
            configuration: state.configuration, batch: state.batch, sequence: state.sequence, kernels: KernelSet())
        try file.requireResults(state.expectedResults(of: model))
        let writes = try CallWatcher.executionOrder(of: &model)
        let form = try DumpForm(
            of: dump,
            expected: writes.map { write in
                let (path, shape) = (write.tensor.path, write.tensor.shape)
                return .init(
                    path: path, shape: shape, unpadded: VocabularyPadding(path, shape, state.configuration)?.shape)
            })
        let misfit = form.problem.map { FixtureError(file: candidate, $0, remedy: form.remedy) }
        guard !form.fitting.isEmpty else {
            throw misfit
                ?? FixtureError(
                    file: candidate, "nothing in it was compared: it names every tensor as not materialised",
                    remedy: DumpFile.remedy)
        }

        var ledger = Ledger(file: file) { progress(candidate, $0) }
        if let misfit {
            let subject = ComparisonRow.Subject(
                operation: Blame.model, implementation: "candidate", pass: "dump", mode: .chained, isOfState: true,
                case: state.model, tensor: "form")
            ledger.report(ComparisonRow(subject, measure: nil, note: misfit.problem))
        }
        for write in writes { ledger.expect(.init(mode: .chained, path: write.tensor.path)) }
        var types: [ElementType: Int] = [:]
        for write in writes {
            let entry = Ledger.Entry(mode: .chained, path: write.tensor.path)
            if form.fitting.contains(entry.path) {
                let (type, row) = try compare(write, state, dump)
                types[type, default: 0] += 1
                try ledger.compare(entry, row)
            } else {
                ledger.leaveOut(entry)
            }
        }
        let listed = try ledger.close()
        let fixtures = [
            listed,
            VerificationReport.Fixture(
                path: candidate, sha256: digest, listed: dump.datasets.count, compared: listed.compared, leftOut: 0),
        ]
        return Findings(
            outcome: VerificationOutcome(
                blamed: Self.blame(ledger.rows, misfit, types), fixtures: fixtures, rows: ledger.rows),
            notMaterialised: writes.map(\.tensor.path).filter(form.notMaterialised.contains),
            otherTypes: types.filter { $0.key != .float32 }.map { ("\($0.key)", $0.value) }.sorted {
                $0.name < $1.name
            },
            misfit: misfit)
    }

    /// The first of the tensors judged that diverges; where there is none, the form.
    private static func blame(
        _ rows: [ComparisonRow], _ misfit: FixtureError?, _ types: [ElementType: Int]
    ) -> VerificationReport.Blame? {
        func blame(_ tensor: String, _ explanation: String) -> VerificationReport.Blame {
            VerificationReport.Blame(operation: nil, pass: nil, tensor: tensor, explanation: explanation)
        }
        guard let row = rows.first(where: { $0.measure != nil && $0.verdict == .fail }) else {
            return misfit.map { _ in blame("form", "the candidate's form, and no kernel: every tensor that fits holds")
            }
        }
        let coarse = [ElementType.float16, .bfloat16].filter { types[$0] != nil }
        return blame(
            row.tensor,
            "\(row.tensor) of \(row.case) is the first divergence in the order of execution, after "
                + "\(row.operation) \(row.pass)"
                + (coarse.isEmpty
                    ? ""
                    : "; the candidate holds \(coarse.map(\.description).joined(separator: " and ")), whose rounding "
                        + "alone can be more than the bands of float32 allow"))
    }

    private func compare(
        _ write: CallWatcher.Write, _ state: StateFixture, _ dump: DumpFile
    ) throws(FixtureError) -> (ElementType, ComparisonRow) {
        let (path, shape) = (write.tensor.path, write.tensor.shape)
        let subject = ComparisonRow.Subject(
            write.kernel, by: "candidate", .chained, write.tensor.block.map { "\(state.model) h.\($0)" } ?? state.model,
            write.tensor.name)
        let (type, found) = try dump.describe(path)
        let padding = VocabularyPadding(path, shape, state.configuration)
        let values = try dump.read(path)
        let element: (Int) -> Double? = found == shape ? { values[$0] } : { padding?.index($0).map { values[$0] } }
        let measure = ComparisonRow.Measure(
            try state.file.measure(path, shape, write.coverage, element), shape: shape, bandOf: write.roundings)
        let row = ComparisonRow(
            subject, measure: measure,
            explanation: try state.file.explain(measure, path, shape, write.coverage, element))
        return (type, row)
    }
}
