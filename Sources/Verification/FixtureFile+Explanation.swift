import Fixtures
import Kernels
import Reporting

extension FixtureFile {
    /// Describes the errors of a tensor that left its band, unless it is too large for that. An element that is nil counts
    /// as right.
    func explain(
        _ measure: ComparisonRow.Measure, _ path: String, _ shape: [Int], _ coverage: Coverage,
        _ element: (Int) -> Double?
    ) throws(FixtureError) -> ComparisonRow.Explanation? {
        guard !measure.holds else { return nil }
        let truth = try read("\(path)/float64", Double.self)
        return ComparisonRow.Explanation(
            leaving: measure.bound, actual: { element($0) ?? truth[$0] }, truth: { truth[$0] }, shape: shape,
            coverage: coverage)
    }
}
