import Fixtures
import Kernels
import Reporting

extension FixtureFile {
    /// Describes the errors of a failed tensor, unless it is too large for that. An element that is nil counts as right.
    func explain(
        _ row: inout ComparisonRow, _ path: String, _ shape: [Int], _ coverage: Coverage, _ element: (Int) -> Double?
    ) throws(FixtureError) {
        guard ComparisonRow.isExplained(shape) else { return }
        let truth = try read("\(path)/float64", Double.self)
        row.explainBand(
            actual: truth.indices.map { element($0) ?? truth[$0] }, truth: truth, shape: shape, coverage: coverage)
    }
}
