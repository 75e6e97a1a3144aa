import Accuracy
import Kernels

/// A case and what a kernel made of it, element by element.
public struct CaseRecord: Sendable {
    /// A result: what it should be, and what it is.
    struct Result: Sendable {
        let argument: Argument
        /// What it held before; nil where it is overwritten.
        let initial: [Float]?
        /// The truth; NaN where it was not computed.
        let truth: [Double]
        /// The largest error of a right kernel; NaN where nothing is compared.
        let bound: [Double]
        /// What PyTorch makes of it in float32; nil where none was asked.
        let torch: [Float]?
        /// What the kernel made of it: of several runs the farthest from the truth.
        let answer: [Float]
    }

    /// The kernel.
    let kernel: KernelName
    /// Whose implementation was tried.
    let implementation: String
    /// The case's own name.
    let name: String
    /// What the kernel was called with.
    let values: CallValues<Float>
    /// What it only reads of that.
    let inputs: [Argument]
    /// The results.
    let results: [Result]

    /// Its whole name, such as `matmul/forward/primes`.
    public var title: String { "\(kernel.operation)/\(kernel.pass.rawValue)/\(name)" }

    /// What `kernels` made of a case of `kernel`.
    init<K: Kernel<Float>>(
        _ kernel: K.Type, _ name: String, _ kernels: KernelSet<Float>, _ values: CallValues<Float>, _ results: [Result]
    ) {
        self.kernel = K.name
        implementation = kernels.implementation(of: kernel) ?? "none"
        let signature = K(sizes: values.sizes, overwrites: values.overwrites) { _ in nil }.signature
        inputs = signature.inputs.filter { !values.absent.contains($0.name) }
        (self.name, self.values, self.results) = (name, values, results)
    }
}

extension CaseRecord.Result {
    /// A result of a fixture's case.
    init(_ result: KernelCase.Result, answer: [Float]) {
        var bound = [Double](repeating: .nan, count: result.bound.count)
        for index in result.specified { bound[index] = result.bound[index] }
        self.init(
            argument: result.argument, initial: result.initial, truth: result.truth, bound: bound, torch: result.torch,
            answer: answer)
    }

    /// A result of a drawn case, of which not every element may have been compared.
    fileprivate init(_ finding: DrawnTrial.Finding, initial: [Float]?) {
        let result = finding.truth
        var truth = [Double](repeating: .nan, count: result.argument.count)
        var bound = truth
        for (position, index) in result.indices.enumerated() {
            (truth[index], bound[index]) = (result.values[position], result.bounds[position])
        }
        self.init(
            argument: result.argument, initial: initial, truth: truth, bound: bound, torch: nil, answer: finding.answer)
    }
}

extension CaseRecord {
    /// What a drawn trial found.
    init<K: Kernel<Float>>(_ kernel: K.Type, _ drawn: DrawnCase, _ trial: DrawnTrial, _ kernels: KernelSet<Float>) {
        let results = trial.findings.map { finding in
            let argument = finding.truth.argument
            return Result(finding, initial: argument.role == .accumulator ? trial.values.numbers[argument.name] : nil)
        }
        self.init(kernel, drawn.name, kernels, trial.values, results)
    }
}
