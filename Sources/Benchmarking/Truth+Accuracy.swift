import Accuracy
import Foundation
import Platform
import Reporting

extension Truth {
    /// Compares the results that a worker wrote to the file at `path`.
    ///
    /// - Throws: ``TaskError`` when the file is not what the contract says.
    func accuracy(ofResultsAt path: String) throws(TaskError) -> BenchmarkReport.Accuracy {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped),
            data.count == 4 * total
        else {
            throw TaskError(description: "its results are not the \(total) numbers of the contract")
        }
        var (worst, squares, fractions, finding) = (0.0, 0.0, 0.0, nil as String?)
        data.withUnsafeBytes { bytes in
            var start = 0
            for result in results {
                for (position, index) in result.indices.enumerated() {
                    let actual = Double(bytes.loadUnaligned(fromByteOffset: 4 * (start + index), as: Float.self))
                    let truth = result.values[position]
                    let error = ErrorMeasure.error(actual, truth)
                    squares += error * error
                    let fraction = ErrorMeasure.fraction(error, of: result.bounds[position])
                    fractions += fraction * fraction
                    guard fraction > worst else { continue }
                    worst = fraction
                    finding =
                        "\(result.argument.name)[\(index)] is \(Formatting.exact(actual)), should be "
                        + Formatting.exact(truth)
                }
                start += result.argument.count
            }
        }
        let count = Double(max(compared, 1))
        return BenchmarkReport.Accuracy(
            worst: worst, typical: (fractions / count).squareRoot(), rmse: (squares / count).squareRoot(),
            compared: compared, of: total, finding: worst <= 1 ? nil : finding)
    }
}
