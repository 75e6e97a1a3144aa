import Foundation
import Platform
import Reporting

extension BenchmarkReport {
    /// The report of an outcome: with this machine, this checkout, and how long it took.
    public init(_ outcome: BenchmarkOutcome, kind: Kind, threads: Int, command: [String], seconds: Double) {
        self.init(
            kind: kind, contestants: outcome.contestants, ceilings: outcome.ceilings, rows: outcome.rows,
            steps: outcome.steps, noise: outcome.noise, limits: outcome.limits, machine: .current(threads: threads),
            commit: RunFacts.commit(), date: ISO8601DateFormatter().string(from: Date()), command: command,
            seconds: seconds)
    }
}
