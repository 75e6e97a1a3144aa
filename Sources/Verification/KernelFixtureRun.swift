import Fixtures
import Kernels

/// The isolated verdict on one operation: each case of its fixture, each result of the case, element by element.
struct KernelFixtureRun {
    let file: FixtureFile
    let request: VerificationRequest

    /// Judges all, into the ledger; gives what was found in each case where one alone is asked for.
    ///
    /// - Throws: ``FixtureError`` when the fixture cannot be used, ``CaseNameError`` where it has no case of the name asked
    ///   for, ``HarnessError`` where the machine has no room.
    func run(_ ledger: inout Ledger) throws -> [CaseRecord] {
        let trials = try KernelFixture(file).trials
        var wanted: CaseName?
        if case .one(let name) = request.cases { wanted = name }
        if let wanted { try Self.require(wanted, among: trials) }
        var records: [CaseRecord] = []
        for trial in trials {
            func entry(_ tensor: String) -> Ledger.Entry {
                Ledger.Entry(mode: .isolated, path: "\(trial.kernelCase.name)/\(tensor)")
            }
            let results = trial.kernelCase.results.map(\.argument.name)
            let isAsked = request.judges(trial.kernel) && wanted?.names(trial) != false
            for result in results { ledger.expect(entry(result), asked: isAsked) }
            guard isAsked else { continue }
            let (rows, record) = try trial.examine(request.kernels)
            if wanted != nil { records.append(record) }
            for row in rows {
                if results.contains(row.tensor) {
                    try ledger.compare(entry(row.tensor), row)
                } else {
                    ledger.report(row)
                }
            }
        }
        return records
    }

    /// Checks that a fixture of the operation has a case of that name.
    private static func require(_ name: CaseName, among trials: [CaseTrial]) throws(CaseNameError) {
        let candidates = trials.filter { name.names($0.kernel) }
        guard !candidates.isEmpty, !trials.contains(where: name.names) else { return }
        let known = candidates.map(\.name).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        throw CaseNameError(
            "\(name.operation)\(name.pass.map { " \($0.rawValue)" } ?? "") has no case '\(name.name)'", name.name,
            among: known)
    }
}
