import Accuracy
import Fixtures
import KernelCatalog
import Kernels
import Reporting

/// The cases of one operation in memory, each ready to judge an implementation. That their bounds reject wrong answers
/// has been checked.
public struct KernelFixture {
    /// One case of one kernel.
    struct Trial {
        let kernel: KernelName
        let kernelCase: KernelCase
        /// Tries the set's implementation: a row for each result, then one for each input at which something was found.
        let judge: (KernelSet<Float>) -> [ComparisonRow]
    }

    /// The cases, pass by pass.
    let trials: [Trial]

    /// Reads the fixture at `path`.
    ///
    /// - Throws: ``FixtureError`` when it cannot be used.
    public init(_ path: String) throws(FixtureError) { try self.init(FixtureFile(path)) }

    init(_ file: FixtureFile) throws(FixtureError) {
        let operation = try file.string("operation", of: "/")
        let kernels = KernelCatalog.kernels.filter { $0.name.operation == operation }
        guard !kernels.isEmpty else { throw file.error(nil, "there is no operation '\(operation)'") }
        let passes = kernels.map { $0.name.pass.rawValue }
        if let stranger = try file.children(of: "/").first(where: {
            $0 != FixtureFile.manifestName && !passes.contains($0)
        }) {
            throw file.error(stranger, "\(operation) has no such pass")
        }
        var trials: [Trial] = []
        for kernel in kernels {
            let pass = kernel.name.pass.rawValue
            let names = try file.children(of: pass)
            guard !names.isEmpty else { throw file.error(pass, "it has no cases") }
            var tallies: [String: PowerTally] = [:]
            for name in names {
                let trial = try Self.trial(kernel, file, name)
                for result in trial.kernelCase.results {
                    try result.checkPower(
                        file, "\(pass)/\(name)", &tallies[result.argument.name, default: PowerTally()])
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
        _ kernel: K.Type, _ file: FixtureFile, _ name: String
    ) throws(FixtureError) -> Trial {
        let kernelCase = try KernelCase(kernel, file, group: "\(K.name.pass.rawValue)/\(name)")
        return Trial(kernel: K.name, kernelCase: kernelCase) { kernels in
            let trial = KernelTrial(kernel, kernelCase, kernels)
            let template = ComparisonRow(
                operation: K.name.operation, implementation: kernels.implementation(of: kernel) ?? "none",
                pass: K.name.pass.rawValue, mode: .isolated, isOfState: false, case: name)
            let results = zip(kernelCase.results, trial.answers).map { result, answers in
                var row = template
                row.record(result, answers, sizes: kernelCase.sizes)
                row.find(trial.findings)
                return row
            }
            let names = kernelCase.results.map(\.argument.name)
            let others = Set(trial.findings.map(\.argument)).subtracting(names).sorted().map { argument in
                var row = template
                row.tensor = argument
                row.find(trial.findings)
                return row
            }
            return results + others
        }
    }

    /// What is to blame in `implementation`, judged among reference kernels case by case until one fails, and the rows up
    /// to there.
    public func verdict(
        on implementation: Implementation<Float>, threads: Int
    ) -> (blamed: VerificationReport.Blame?, rows: [ComparisonRow]) {
        var kernels = KernelSet<Float>(KernelCatalog.reference(), workers: Workers(count: threads))
        kernels.use(implementation)
        var rows: [ComparisonRow] = []
        for trial in trials {
            rows += trial.judge(kernels)
            if let blamed = Blame.of(rows) { return (blamed, rows) }
        }
        return (nil, rows)
    }
}

extension KernelCase.Result {
    /// Checks that the bounds reject the wrong answers that the fixture does not name as weak, and those alone.
    fileprivate func checkPower(
        _ file: FixtureFile, _ group: String, _ tally: inout PowerTally
    ) throws(FixtureError) {
        let isSpecified = truth.indices.map { argument.coverage.contains($0, shape: argument.shape) }
        let d = truth.indices.map { index in
            isSpecified[index] ? truth[index] - Double(initial?[index] ?? 0) : 0
        }
        // What is not specified cannot reject anything.
        let limits = bound.indices.map { isSpecified[$0] ? bound[$0] : Double.infinity }
        let power = FixturePower(d, bound: limits, shape: argument.shape)
        let path = "\(group)/\(argument.name)"
        let named = try file.string("weak", of: path).split(separator: " ").map(String.init)
        let found = power.weak.map(\.rawValue)
        guard named == found else {
            throw file.error(
                "\(path)@weak", "it names \(named), and the bound accepts the wrong answers \(found)")
        }
        tally.add(power)
    }
}

extension ComparisonRow {
    /// Fills in the worst of several answers for one result, element by element against its bound, and judges.
    fileprivate mutating func record(_ result: KernelCase.Result, _ answers: [[Float]], sizes: [String: Int]) {
        let (argument, shape) = (result.argument, result.argument.shape)
        tensor = argument.name
        var worstAnswer: [Float] = []
        for answer in answers {
            var measure = ErrorMeasure()
            for index in answer.indices where argument.coverage.contains(index, shape: shape) {
                measure.add(
                    index: index, actual: Double(answer[index]), torch: Double(result.torch[index]),
                    truth: result.truth[index], bound: result.bound[index])
            }
            guard worstAnswer.isEmpty || measure.worst > worst else { continue }
            worstAnswer = answer
            record(measure, shape: shape)
        }
        verdict = count > 0 && worst <= 1 ? .pass : .fail
        guard verdict == .fail else { return }
        explain(
            actual: worstAnswer.map(Double.init), truth: result.truth, bound: result.bound,
            initial: result.initial?.map(Double.init), shape: shape, coverage: argument.coverage, sizes: sizes)
    }

    /// Notes what was found at the row's argument beside its values, if anything, and judges.
    fileprivate mutating func find(_ findings: [(argument: String, note: String)]) {
        let notes = findings.filter { $0.argument == tensor }.map(\.note)
        guard !notes.isEmpty else { return }
        note = notes.joined(separator: "; ")
        verdict = .fail
    }
}
