import ForeignKernels
import Kernels
import Platform
import Reporting

extension VerificationReport {
    /// The report of an outcome: with this machine, this checkout, and how long it took.
    public init(
        _ outcome: VerificationOutcome, kernels: KernelSet<Float>, libraries: [ForeignLibrary] = [], flags: [String],
        seconds: Double
    ) {
        let named = kernels.kernels.map { ($0.name.description, kernels.implementation(of: $0) ?? "none") }
        self.init(
            verdict: outcome.verdict, blamed: outcome.blamed, fixtures: outcome.fixtures,
            drawn: outcome.drawn,
            implementations: Dictionary(named) { first, _ in first },
            libraries: libraries.map {
                Library(
                    name: $0.name, path: $0.path, provided: $0.provided.map(\.description),
                    missing: $0.missing.map(\.description))
            },
            machine: .current(threads: kernels.workers.count), commit: RunFacts.commit(), flags: flags,
            seconds: seconds, peakMemory: RunFacts.peakMemory(), rows: outcome.rows)
    }

    /// The report of what another program computed: no kernel of this project ran.
    public init(_ outcome: VerificationOutcome, flags: [String], seconds: Double) {
        self.init(outcome, kernels: KernelSet(), flags: flags, seconds: seconds)
    }
}
