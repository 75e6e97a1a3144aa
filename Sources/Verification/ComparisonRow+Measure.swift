import Accuracy
import ForeignKernels
import Kernels
import Reporting

extension ComparisonRow {
    /// A row whose measure is yet to come.
    init(operation: String, implementation: String, pass: String, mode: Mode, isOfState: Bool, case: String) {
        self.init(
            operation: operation, implementation: implementation, pass: pass, mode: mode, isOfState: isOfState,
            case: `case`, tensor: "", count: 0, worst: 0, bound: 0, index: [], expected: 0, actual: 0, ulps: 0, rmse: 0,
            torch_rmse: 0, verdict: .pass)
    }

    /// What loading a library does to the process that loads it; nil if nothing.
    init?(loading library: ForeignLibrary) {
        guard library.changesFloatingPoint else { return nil }
        self.init(
            operation: Blame.library, implementation: library.name, pass: "load", mode: .isolated, isOfState: false,
            case: library.path)
        tensor = "floating-point environment"
        verdict = .fail
        note =
            "loading the library switches on flush to zero, or other rounding, in the thread that loads it, as linking "
            + "with -Ofast or -ffast-math does; its kernels were called with the default restored"
    }

    /// Fills in what was measured of a tensor of that shape, against a bound for each element.
    mutating func record(_ measure: ErrorMeasure, shape: [Int]) {
        count = measure.count
        worst = measure.worst
        bound = measure.bound
        index = indices(of: measure.worstIndex, in: shape)
        expected = measure.expected
        actual = measure.actual
        ulps = measure.ulps
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

    /// Whether the errors of a tensor of that shape are described if it leaves its band: a larger one would take long.
    static func isExplained(_ shape: [Int]) -> Bool { shape.reduce(1, *) <= 1 << 22 }

    /// Describes the errors of a tensor that left its band.
    mutating func explainBand(actual: [Double], truth: [Double], shape: [Int], coverage: Coverage) {
        // The band bounds a root mean square; hardly an element of a right tensor is at four times that.
        explain(
            actual: actual, truth: truth, bound: [Double](repeating: 4 * bound, count: truth.count), initial: nil,
            shape: shape, coverage: coverage, sizes: [:])
    }

    /// Describes the errors of a failed tensor: their pattern and their map.
    mutating func explain(
        actual: [Double], truth: [Double], bound: [Double], initial: [Double]?, shape: [Int], coverage: Coverage,
        sizes: [String: Int]
    ) {
        pattern =
            ErrorPattern(
                actual: actual, truth: truth, bound: bound, initial: initial, shape: shape, coverage: coverage,
                sizes: sizes
            ).description
        heat = HeatMap(shape: shape) { index in
            guard coverage.contains(index, shape: shape) else { return nil }
            return ErrorMeasure.fraction(ErrorMeasure.error(actual[index], truth[index]), of: bound[index])
        }
    }
}
