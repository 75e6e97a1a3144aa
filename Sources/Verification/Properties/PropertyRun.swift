import Accuracy
import KernelCatalog
import Kernels
import Reporting
import Sentinel

/// The trials of the properties of several kernels, one after another: meanwhile, the memory of those before shows whether
/// they write after their return.
struct PropertyRun {
    private let request: VerificationRequest
    private let reference: KernelSet<Double>
    private var found: [ComparisonRow] = []
    private var conducts: [(trial: ConductTrial, subject: (String) -> ComparisonRow.Subject)] = []

    /// The trials that `request` asks for, against a reference in double.
    init(_ request: VerificationRequest, by reference: KernelSet<Double>) {
        (self.request, self.reference) = (request, reference)
    }

    /// Tries a property of a kernel.
    ///
    /// - Throws: `HarnessError` where the machine has no room for it.
    mutating func add<K: Kernel<Float>>(_ property: KernelProperty, of kernel: K.Type) throws(HarnessError) {
        let (kernels, seed) = (request.kernels, request.seed)
        func subject(_ tensor: String) -> ComparisonRow.Subject {
            ComparisonRow.Subject(kernel, of: kernels, .drawn, property.rawValue, tensor)
        }
        let findings: [PropertyFinding]
        switch property {
        case .conduct:
            conducts.append((try ConductTrial(kernel, kernels, by: reference, seed: seed), subject))
            return
        case .nonfinite: findings = try NonFiniteTrial(kernel, kernels, by: reference, seed: seed).findings
        case .independence: findings = try IndependenceTrial(kernel, kernels, by: reference, seed: seed).findings
        }
        let isAllowed = property == .nonfinite && request.allowsNonFinite
        found += findings.filter { $0.count > 0 }.map { $0.row(subject($0.argument.name), isAllowed: isAllowed) }
    }

    /// A row for each result of every kernel, and for each input at which something was found.
    func rows() -> [ComparisonRow] {
        found
            + conducts.flatMap { trial, subject in
                var trial = trial
                trial.lookLate()
                return trial.findings.map { finding in
                    ComparisonRow(
                        subject(finding.argument.name),
                        measure: finding.measure.map { ComparisonRow.Measure($0, shape: finding.argument.shape) },
                        note: ComparisonRow.note(finding.notes))
                }
            }
    }
}
