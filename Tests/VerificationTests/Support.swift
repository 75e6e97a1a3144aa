import Foundation
import KernelCatalog
import Kernels
import Reporting
import TestSupport
import Verification

/// Verifies the set `name`, with some kernels replaced, by the committed fixtures or those given.
func verify(
    _ name: String = "fast", replacing replacements: [Implementation<Float>] = [], threads: Int = 2,
    fixtures: [String] = Verifier.committedFixtures(in: packageRoot), only: Set<String> = [],
    modes: Set<ComparisonRow.Mode> = ComparisonRow.Mode.ofFixtures
) throws -> VerificationOutcome {
    var kernels = try KernelCatalog.standard.set(named: name, workers: Workers(count: threads))
    for replacement in replacements { kernels.use(replacement) }
    return try Verifier(
        VerificationRequest(kernels: kernels, fixtures: fixtures, operations: only, modes: modes)
    ).run()
}
