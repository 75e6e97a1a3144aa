@testable import Benchmarking
import Reporting
import Testing

struct GateTests {
    private func accuracy(_ typical: Double, _ worst: Double, of count: Int) -> BenchmarkReport.Accuracy {
        BenchmarkReport.Accuracy(
            worst: worst, typical: typical, rmse: typical, compared: count, of: count, finding: nil)
    }

    /// What two orders of summation make of the same errors is not a loss; what a shortcut makes of them is.
    @Test(arguments: [
        (0.010, 0.50, 1_000_000, false), (0.0105, 0.51, 1_000_000, false), (0.008, 0.30, 1_000_000, false),
        (0.012, 0.50, 1_000_000, true), (0.010, 0.90, 1_000_000, true), (0.012, 0.60, 100, false),
        (0.020, 0.60, 100, true), (.infinity, .infinity, 1_000_000, true),
    ])
    func losses(_ typical: Double, _ worst: Double, _ count: Int, _ isLoss: Bool) {
        let base = accuracy(0.010, 0.50, of: count)
        #expect((Gate.loss(accuracy(typical, worst, of: count), base) != nil) == isLoss)
    }

    @Test func newKernelsHaveNothingToLose() { #expect(Gate.loss(accuracy(0.5, 0.9, of: 10), nil) == nil) }
}
