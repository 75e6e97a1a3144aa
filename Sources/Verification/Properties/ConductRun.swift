import Accuracy
import KernelCatalog
import Kernels
import Reporting
import Sentinel

/// The trials of conduct of several kernels, one after another: while one is tried, the memory of those before it shows
/// whether they write after their return.
struct ConductRun {
    private let request: VerificationRequest
    private let reference: KernelSet<Double>
    private var trials: [(trial: ConductTrial, subject: (String) -> ComparisonRow.Subject)] = []

    /// The trials that `request` asks for, against a reference in double.
    init(_ request: VerificationRequest, by reference: KernelSet<Double>) {
        (self.request, self.reference) = (request, reference)
    }

    /// Tries a kernel.
    ///
    /// - Throws: `HarnessError` where the machine has no room for it.
    mutating func add<K: Kernel<Float>>(_ kernel: K.Type) throws(HarnessError) {
        let trial = try ConductTrial(kernel, request.kernels, by: reference, seed: request.seed)
        let implementation = request.kernels.implementation(of: kernel) ?? "none"
        trials.append(
            (
                trial,
                { tensor in
                    ComparisonRow.Subject(
                        operation: K.name.operation, implementation: implementation, pass: K.name.pass.rawValue,
                        mode: .drawn, isOfState: false, case: KernelProperty.conduct.rawValue, tensor: tensor)
                }
            ))
    }

    /// A row for each result of every kernel, and for each input at which something was found.
    func rows() -> [ComparisonRow] {
        trials.flatMap { trial, subject in
            var trial = trial
            trial.lookLate()
            return trial.findings.map { finding in
                ComparisonRow(
                    subject(finding.argument.name),
                    measure: finding.measure.map { ComparisonRow.Measure($0, shape: finding.argument.shape) },
                    note: finding.notes.isEmpty ? nil : finding.notes.joined(separator: "; "))
            }
        }
    }
}
