import Accuracy
import Fixtures
import GPT2
import KernelCatalog
import Kernels
import ModelFormats
import Platform
import Reporting
import Tensors

/// Judges a set of kernels by a model and a debug state of llm.c's: logits, loss and the gradient of every parameter.
///
/// The truth is the reference in double, on the file's parameters and tokens. The state is one float32 run, and stands
/// where PyTorch's stands in a fixture: ``Band`` allows for errors like its own. So that a corrupt or foreign state does
/// not widen the bands, it must first lie within the band of the reference's own float32 run.
public struct LLMCComparison {
    private let model, state: String
    private let kernels: KernelSet<Float>
    private let progress: ProgressHandler

    /// A comparison by the model and the state at those paths.
    public init(
        model: String, state: String, kernels: KernelSet<Float>, progress: @escaping ProgressHandler = { _, _ in }
    ) {
        self.model = model
        self.state = state
        self.kernels = kernels
        self.progress = progress
    }

    /// Compares everything that the state records.
    ///
    /// - Throws: ``ModelFormatError`` when a file cannot be read, ``FixtureError`` when the state cannot be believed.
    public func run() throws -> VerificationOutcome {
        let file = try StoredModel(model)
        let configuration = try file.configuration()
        let stored = try LLMCStateFile(readingFrom: state, of: configuration)
        let digests = (
            state: try FixtureSeal.digest(of: state), model: try FixtureSeal.digest(of: file.parameterFile)
        )
        let parameters = Arena<Float>(ParameterLayout(configuration).tensors)
        try file.loadParameters(into: parameters)

        func pass<Scalar: KernelScalar>(
            _ kernels: KernelSet<Scalar>, _ activity: String, _ part: Range<Double>
        ) throws -> LLMCPass<Scalar> {
            let length = part.upperBound - part.lowerBound
            return try LLMCPass(configuration, parameters, stored, state: state, kernels) {
                progress(activity, part.lowerBound + length * $0)
            }
        }
        // The reference is serial, and its float32 run takes as long as that in double.
        let truth = try pass(KernelSet(KernelCatalog.standard.exact), "the reference in float64", 0..<0.48)
        let single = try pass(
            KernelSet<Float>(KernelCatalog.standard.reference), "the reference in float32", 0.48..<0.96)
        var candidate = try pass(kernels, "the kernels", 0.96..<0.98)
        let writes = try candidate.writes()

        var rows: [ComparisonRow] = []
        let expected = RecordedTensor.all(of: stored, configuration)
        for (number, recorded) in expected.ordered(by: writes).enumerated() {
            progress(recorded.name, 0.98 + 0.02 * Double(number) / Double(expected.count))
            let values = recorded.read()
            if let index = values.firstIndex(where: { !$0.isFinite }) {
                throw unbelievable(recorded, "element \(index) is \(values[index])")
            }
            let write = writes[recorded.path]
            let trusted = recorded.measure({ Double(values[$0]) }, single.values(recorded), truth.values(recorded))
            let fraction = ErrorMeasure.fraction(
                trusted.rmse, of: Band.bound(trusted, roundings: write?.roundings ?? 1))
            if !(fraction <= 1) {
                throw unbelievable(recorded, "its error is \(Formatting.number(fraction)) of what float32 explains")
            }
            rows.append(
                row(recorded, write, candidate.values(recorded), { Double(values[$0]) }, truth.values(recorded)))
        }
        let fixtures = [
            VerificationReport.Fixture(
                path: state, sha256: digests.state, listed: expected.count, compared: rows.count, leftOut: 0),
            VerificationReport.Fixture(path: model, sha256: digests.model, listed: 0, compared: 0, leftOut: 0),
        ]
        return VerificationOutcome(blamed: Blame.of(rows), fixtures: fixtures, rows: rows)
    }

    private func row(
        _ recorded: RecordedTensor, _ write: CallWatcher.Write?, _ actual: (Int) -> Double, _ stored: (Int) -> Double,
        _ truth: (Int) -> Double
    ) -> ComparisonRow {
        let subject = ComparisonRow.Subject(
            write?.kernel, by: write?.kernel.flatMap { kernels.implementation(named: $0) }, .chained, "llm.c",
            recorded.name)
        guard let write else { return ComparisonRow(subject, measure: nil, note: "no kernel wrote it") }
        let measure = ComparisonRow.Measure(
            recorded.measure(actual, stored, truth), shape: recorded.shape, bandOf: write.roundings)
        return ComparisonRow(
            subject, measure: measure,
            explanation: measure.holds
                ? nil
                : ComparisonRow.Explanation(
                    leaving: measure.bound, actual: actual, truth: truth, shape: recorded.shape, coverage: .all))
    }

    private func unbelievable(_ recorded: RecordedTensor, _ problem: String) -> FixtureError {
        FixtureError(
            file: state, dataset: recorded.name, "\(problem), against the reference on the parameters of \(model)",
            remedy: "give the state that was written with this model, in float32 and from parameters that were not "
                + "rounded to bfloat16 afterwards")
    }
}
