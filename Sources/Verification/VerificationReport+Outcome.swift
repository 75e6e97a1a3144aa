import Kernels
import Reporting

extension VerificationReport {
    /// The report of an outcome: with this machine, this checkout, and how long it took.
    public init(_ outcome: VerificationOutcome, kernels: KernelSet<Float>, flags: [String], seconds: Double) {
        let named = kernels.kernels.map { ($0.name.description, kernels.implementation(of: $0) ?? "none") }
        self.init(
            verdict: outcome.verdict, blamed: outcome.blamed, fixtures: outcome.fixtures,
            implementations: Dictionary(named) { first, _ in first },
            machine: .current(threads: kernels.workers.count), commit: RunFacts.commit(), flags: flags,
            seconds: seconds, peakMemory: RunFacts.peakMemory(), rows: outcome.rows)
    }
}
