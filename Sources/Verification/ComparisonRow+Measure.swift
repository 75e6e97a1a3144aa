import Accuracy
import ForeignKernels
import Kernels
import Reporting

extension ComparisonRow {
    /// What loading a library does to the process that loads it; nil if nothing.
    init?(loading library: ForeignLibrary) {
        guard library.changesFloatingPoint else { return nil }
        self.init(
            Subject(
                operation: Blame.library, implementation: library.name, pass: "load", mode: .isolated,
                isOfState: false, case: library.path, tensor: "floating-point environment"),
            measure: nil,
            note: "loading the library switches on flush to zero, or other rounding, in the thread that loads it, as "
                + "linking with -Ofast or -ffast-math does; its kernels were called with the default restored")
    }

    /// Several findings as one note; nil where there are none.
    static func note(_ findings: [String]) -> String? {
        findings.isEmpty ? nil : findings.joined(separator: "; ")
    }
}

extension ComparisonRow.Subject {
    /// A tensor of a call of `kernel` alone, by the implementation that `kernels` has of it.
    init<K: Kernel<Float>>(
        _ kernel: K.Type, of kernels: KernelSet<Float>, _ mode: ComparisonRow.Mode, _ place: String, _ tensor: String
    ) {
        self.init(
            operation: K.name.operation, implementation: kernels.implementation(of: kernel) ?? "none",
            pass: K.name.pass.rawValue, mode: mode, isOfState: false, case: place, tensor: tensor)
    }

    /// A tensor of a debug state; of no kernel's where the model itself, or nothing, wrote it.
    init(
        _ kernel: KernelName?, by implementation: String?, _ mode: ComparisonRow.Mode, _ place: String, _ tensor: String
    ) {
        self.init(
            operation: kernel?.operation ?? Blame.model, implementation: implementation ?? Blame.model,
            pass: (kernel?.pass ?? .backward).rawValue, mode: mode, isOfState: true, case: place, tensor: tensor)
    }
}

extension ComparisonRow.Measure {
    /// What was measured of a tensor of that shape, against a bound for each element.
    init(_ measure: ErrorMeasure, shape: [Int]) {
        self.init(measure, shape: shape, worst: measure.worst, bound: measure.bound)
    }

    /// What was measured of a tensor of that shape, against the band of its root mean square error.
    init(_ measure: ErrorMeasure, shape: [Int], bandOf roundings: Int) {
        let bound = Band.bound(measure, roundings: roundings)
        self.init(measure, shape: shape, worst: ErrorMeasure.fraction(measure.rmse, of: bound), bound: bound)
    }

    private init(_ measure: ErrorMeasure, shape: [Int], worst: Double, bound: Double) {
        self.init(
            count: measure.count, worst: worst, bound: bound, index: indices(of: measure.worstIndex, in: shape),
            expected: measure.expected, actual: measure.actual, ulps: measure.ulps, rmse: measure.rmse,
            torchRMSE: measure.torchRMSE, relative: ComparisonRow.RelativeErrors(measure.relative))
    }
}

extension ComparisonRow.RelativeErrors {
    /// Those of elements that owe digits; nil where none does and none lacks any.
    init?(_ errors: RelativeErrors) {
        guard errors.count > 0 || errors.withoutDigits > 0 else { return nil }
        self.init(
            count: errors.count, withoutDigits: errors.withoutDigits, worst: errors.worst,
            median: errors.percentile(0.5), percentile99: errors.percentile(0.99))
    }
}

extension ComparisonRow.Explanation {
    /// Of the errors of a tensor that left its band; nil of one that is so large that it would take long.
    init?(
        leaving band: Double, actual: (Int) -> Double, truth: (Int) -> Double, shape: [Int], coverage: Coverage
    ) {
        let count = shape.reduce(1, *)
        guard count <= 1 << 22 else { return nil }
        // The band bounds a root mean square; hardly an element of a right tensor is at four times that.
        self.init(
            actual: (0..<count).map(actual), truth: (0..<count).map(truth),
            bound: [Double](repeating: 4 * band, count: count), initial: nil, shape: shape, coverage: coverage,
            sizes: [:])
    }

    /// Of the errors of a failed tensor.
    init(
        actual: [Double], truth: [Double], bound: [Double], initial: [Double]?, shape: [Int], coverage: Coverage,
        sizes: [String: Int]
    ) {
        let pattern = ErrorPattern(
            actual: actual, truth: truth, bound: bound, initial: initial, shape: shape, coverage: coverage,
            sizes: sizes)
        let heat = HeatMap(shape: shape) { index in
            guard coverage.contains(index, shape: shape) else { return nil }
            return ErrorMeasure.fraction(ErrorMeasure.error(actual[index], truth[index]), of: bound[index])
        }
        self.init(pattern: pattern.description, heat: heat)
    }
}
