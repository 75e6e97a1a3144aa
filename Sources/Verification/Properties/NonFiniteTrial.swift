import Accuracy
import Kernels
import Sentinel

/// The trial of what a kernel makes of NaN and infinities, each put into each argument: what its reference does. NaN comes out
/// as NaN wherever it has a part, an infinity as what arithmetic makes of it, and nothing else changes.
struct NonFiniteTrial {
    /// By each result.
    private(set) var findings: [PropertyFinding]

    /// The most elements of all arguments together.
    private static let elements = 600
    private static let numbers: [Float] = [.nan, .infinity, -.infinity]
    /// In how many places each number is put into each argument, one after the other.
    private static let places = 3
    private static let mostLooks = 24

    /// Tries the implementation that `kernels` has of `kernel`, against a reference in double.
    ///
    /// - Throws: ``HarnessError`` where the machine has no room for it.
    init<K: Kernel<Float>>(
        _ kernel: K.Type, _ kernels: KernelSet<Float>, by reference: KernelSet<Double>, seed: UInt64
    ) throws(HarnessError) {
        let call = DrawnCall(small: kernel, elements: Self.elements, seed: seed)
        let usual = KernelCase(kernel, name: KernelProperty.nonfinite.rawValue, call, by: reference)
        findings = usual.results.map { PropertyFinding($0.argument) }
        // What forward calls leave has a form of its own, such as 0 above a diagonal, and is not touched.
        let derived = DrawnCall.derived(of: K.InDouble.self)
        let arguments = call.signature(kernel).arguments.filter { !derived.contains($0.name) }
        for argument in arguments {
            guard let numbers = usual.values.numbers[argument.name] else { continue }
            let specified = numbers.indices.filter { argument.coverage.contains($0, shape: argument.shape) }
            let draw = Draw("nonfinite \(argument.name)", seed: seed)
            for attempt in 0..<Self.numbers.count * Self.places {
                let (odd, place) = (Self.numbers[attempt % Self.numbers.count], attempt / Self.numbers.count)
                var values = usual.values
                // In some, other numbers are 0: a product with 0 must not be left out.
                if place == 1 {
                    for other in arguments {
                        guard case .numbers(.signed) = other.elements, let own = values.numbers[other.name] else {
                            continue
                        }
                        values.numbers[other.name] = own.enumerated().map { $0.offset % 3 == 1 ? 0 : $0.element }
                    }
                }
                // Any place once; else one that has a part in a result, if it can be found.
                let clean = values
                for look in 0..<(place == 2 ? 1 : Self.mostLooks) {
                    let index = specified[
                        Int(draw.token(attempt * Self.mostLooks + look, below: specified.count))]
                    values = clean
                    values.numbers[argument.name]?[index] = odd
                    let truth = values.converted(to: Double.self).results(of: K.InDouble.self, by: reference)
                    guard
                        look == Self.mostLooks - 1 || place == 2
                            || truth.values.contains(where: { !$0.allSatisfy(\.isFinite) })
                    else { continue }
                    try self.look(
                        kernel, values, truth, usual, odd, "\(odd) in \(argument.name)[\(index)]", kernels)
                    break
                }
            }
        }
    }

    private mutating func look<K: Kernel<Float>>(
        _ kernel: K.Type, _ values: CallValues<Float>, _ truth: [String: [Double]], _ usual: KernelCase, _ odd: Float,
        _ what: String, _ kernels: KernelSet<Float>
    ) throws(HarnessError) {
        let results = KernelCase(kernel, name: usual.name, values, truth: truth).results
        let trial = try KernelTrial(briefly: kernel, values, usual.name, kernels, threads: nil)
        for (number, result) in results.enumerated() {
            for finding in trial.findings where finding.argument == result.argument.name {
                findings[number].note(finding.note)
            }
            guard let answer = trial.answers[number].first else { continue }
            let specified = result.specified
            findings[number].count += specified.count
            let wrong = specified.first { index in
                let (actual, truth, form) = (answer[index], result.truth[index], result.argument.nonFinite)
                if truth.isNaN { return odd.isNaN ? !actual.isNaN : actual.isFinite }
                if truth.isInfinite { return Double(actual) != truth && (form == .exact || actual.isFinite) }
                if form == .spreading, !actual.isFinite { return false }
                // What has no part in it is as near as ever; of what has, there may be no bound.
                let bounds = [result.bound[index], usual.results[number].bound[index]].filter(\.isFinite)
                return !(abs(Double(actual) - truth) <= bounds.max() ?? .greatestFiniteMagnitude)
            }
            guard let wrong else { continue }
            findings[number].note(
                "with \(what), element \(wrong) is \(answer[wrong]), and should be \(Float(result.truth[wrong]))")
        }
    }
}
