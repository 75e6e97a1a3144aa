import Reporting

extension ComparisonRow {
    /// A row whose measure is yet to come.
    init(operation: String, implementation: String, pass: String, mode: Mode, isOfState: Bool, case: String) {
        self.init(
            operation: operation, implementation: implementation, pass: pass, mode: mode, isOfState: isOfState,
            case: `case`, tensor: "", count: 0, worst: 0, bound: 0, index: [], expected: 0, actual: 0, rmse: 0,
            torch_rmse: 0, verdict: .pass)
    }

    /// Fills in what was measured of a tensor of that shape, against a bound for each element.
    mutating func record(_ measure: ErrorMeasure, shape: [Int]) {
        count = measure.count
        worst = measure.worst
        bound = measure.bound
        index = Self.index(of: measure.worstIndex, in: shape)
        expected = measure.expected
        actual = measure.actual
        rmse = measure.rmse
        torch_rmse = measure.torchRMSE
    }

    /// Fills in what was measured of a tensor of that shape, against the band of its root mean square error, and judges.
    mutating func recordBand(_ measure: ErrorMeasure, shape: [Int], roundings: Int) {
        record(measure, shape: shape)
        bound = Band.bound(measure, roundings: roundings)
        worst = ErrorMeasure.fraction(measure.rmse, of: bound)
        verdict = worst <= 1 ? .pass : .fail
    }

    private static func index(of flat: Int, in shape: [Int]) -> [Int] {
        var rest = flat
        var index: [Int] = []
        for extent in shape.reversed() where extent > 0 {
            index.insert(rest % extent, at: 0)
            rest /= extent
        }
        return index
    }
}
