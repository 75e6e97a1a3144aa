import Foundation
import KernelCatalog
import Kernels
import Verification

let started = Date()
do {
    var arguments = Array(CommandLine.arguments.dropFirst())
    let set = try KernelCatalog.set(named: arguments.isEmpty ? "fast" : arguments.removeFirst(), workers: Workers(count: 2))
    let outcome = try Verifier(VerificationRequest(kernels: set, fixtures: arguments.isEmpty ? Verifier.committedFixtures(in: ".") : arguments)).run()
    for r in outcome.rows where r.verdict == .fail || r.mode != .training { print(r.mode, r.operation, r.pass, r.case, r.tensor, r.count, r.worst, r.rmse / r.torch_rmse, r.verdict, r.note ?? "") }
    print(outcome.verdict, outcome.blamed as Any, outcome.rows.count, Date().timeIntervalSince(started))
    for f in outcome.fixtures { print(f) }
} catch { print("error", error) }
