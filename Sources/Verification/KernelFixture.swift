import Accuracy
import Fixtures
import KernelCatalog
import Kernels

/// The cases of one operation in memory, each ready to judge an implementation. That their bounds reject wrong answers
/// has been checked.
public struct KernelFixture {
    /// The cases, pass by pass.
    public let trials: [CaseTrial]

    /// Reads the fixture at `path`.
    ///
    /// - Throws: ``FixtureError`` when it cannot be used.
    public init(_ path: String) throws(FixtureError) { try self.init(FixtureFile(path)) }

    init(_ file: FixtureFile) throws(FixtureError) {
        let operation = try file.string("operation", of: "/")
        let kernels = KernelCatalog.standard.kernels.filter { $0.name.operation == operation }
        guard !kernels.isEmpty else { throw file.error(nil, "there is no operation '\(operation)'") }
        let passes = kernels.map { $0.name.pass.rawValue }
        if let stranger = try file.children(of: "/").first(where: {
            $0 != FixtureFile.manifestName && !passes.contains($0)
        }) {
            throw file.error(stranger, "\(operation) has no such pass")
        }
        var trials: [CaseTrial] = []
        for kernel in kernels {
            let pass = kernel.name.pass.rawValue
            let names = try file.children(of: pass)
            guard !names.isEmpty else { throw file.error(pass, "it has no cases") }
            var tallies: [String: PowerTally] = [:]
            for name in names {
                let trial = try Self.trial(kernel, file, group: "\(pass)/\(name)")
                for result in trial.kernelCase.results {
                    tallies[result.argument.name, default: PowerTally()].add(FixturePower(result))
                }
                trials.append(trial)
            }
            for (result, tally) in tallies.sorted(by: { $0.key < $1.key }) {
                if let shortfall = tally.shortfall { throw file.error("\(pass)/*/\(result)", shortfall) }
            }
        }
        try file.requireAllRead()
        self.trials = trials
    }

    private static func trial<K: Kernel<Float>>(
        _ kernel: K.Type, _ file: FixtureFile, group: String
    ) throws(FixtureError) -> CaseTrial {
        CaseTrial(kernel, try KernelCase(kernel, file, group: group))
    }
}
