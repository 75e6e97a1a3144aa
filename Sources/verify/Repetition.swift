import KernelCatalog
import Reporting
import Terminal

/// The command that repeats one comparison of a run alone.
struct Repetition {
    /// What the run was told that a comparison depends on: kernels, threads, fixtures.
    private let given: [String]
    private let seed: UInt64

    /// The repetitions of a run with those flags.
    init(_ arguments: CommandArguments, seed: UInt64) {
        given = ["--kernels", "--threads", "--fixture", "--allow"].flatMap { flag in
            arguments.has(flag) ? [flag] + arguments.values(flag) : []
        }
        self.seed = seed
    }

    /// The command for that comparison; nil for what no single case shows.
    func command(for row: ComparisonRow) -> String? {
        let words: [String]
        if row.isOfState {
            words = ["--mode", row.mode.rawValue]
        } else if KernelCatalog.standard.operations.contains(row.operation) {
            words = ["--case", "\(row.operation)/\(row.pass)/\(row.case)"]
        } else {
            return nil
        }
        return Terminal.invocation(["verify"] + given + words + (row.mode == .drawn ? ["--seed", "\(seed)"] : []))
    }
}
