import Fixtures
import Kernels

/// The isolated verdict on one operation: each case of its fixture, each result of the case, element by element.
struct KernelFixtureRun {
    let file: FixtureFile
    let request: VerificationRequest

    /// Judges all, into the ledger.
    ///
    /// - Throws: ``FixtureError`` when the fixture cannot be used, ``HarnessError`` where the machine has no room.
    func run(_ ledger: inout Ledger) throws {
        for trial in try KernelFixture(file).trials {
            func entry(_ tensor: String) -> Ledger.Entry {
                Ledger.Entry(mode: .isolated, path: "\(trial.kernelCase.name)/\(tensor)")
            }
            let results = trial.kernelCase.results.map(\.argument.name)
            let isAsked = request.judges(trial.kernel)
            for result in results { ledger.expect(entry(result), asked: isAsked) }
            guard isAsked else { continue }
            for row in try trial.judge(request.kernels) {
                if results.contains(row.tensor) {
                    try ledger.compare(entry(row.tensor), row)
                } else {
                    ledger.report(row)
                }
            }
        }
    }
}
