import Accuracy
import Reporting

extension BenchmarkReport.Accuracy {
    /// What was measured, for the report.
    init(_ measured: ResultAccuracy) {
        self.init(
            worst: measured.worst, typical: measured.typical, rmse: measured.rmse, compared: measured.compared,
            of: measured.total, finding: measured.finding)
    }
}
