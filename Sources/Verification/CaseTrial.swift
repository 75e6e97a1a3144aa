import Accuracy
import KernelCatalog
import Kernels
import Platform
import Reporting
import Sentinel

/// A case of a kernel, ready to judge an implementation.
public struct CaseTrial {
    /// The case.
    public let kernelCase: KernelCase
    /// Tries the set's implementation: a row for each result, then one for each input at which something was found; and
    /// what the rows were made of.
    let examine: (KernelSet<Float>) throws(HarnessError) -> (rows: [ComparisonRow], record: CaseRecord)

    /// The kernel.
    var kernel: KernelName { kernelCase.kernel }

    /// The case's own name: in a fixture it lies in the group of its pass.
    var name: String { kernelCase.shortName }

    /// The trial of `kernel` on `kernelCase`.
    init<K: Kernel<Float>>(_ kernel: K.Type, _ kernelCase: KernelCase) {
        self.kernelCase = kernelCase
        examine = { kernels throws(HarnessError) in
            let started = ContinuousClock.now
            let trial = try KernelTrial(kernel, kernelCase, kernels)
            // One trial gives several rows.
            let share = started.secondsToNow / Double(max(kernelCase.results.count, 1))
            let name = kernelCase.shortName
            func subject(_ tensor: String) -> ComparisonRow.Subject {
                ComparisonRow.Subject(kernel, of: kernels, .isolated, name, tensor)
            }
            func note(_ tensor: String) -> String? {
                ComparisonRow.note(trial.findings.filter { $0.argument == tensor }.map(\.note))
            }
            let names = kernelCase.results.map(\.argument.name)
            let judged = zip(kernelCase.results, trial.answers).map { result, answers in
                (result, result.judge(answers, sizes: kernelCase.values.sizes))
            }
            let results = judged.map { result, found in
                ComparisonRow(
                    subject(result.argument.name), measure: found.measure, note: note(result.argument.name),
                    explanation: found.explanation, seconds: share)
            }
            let others = Set(trial.findings.map(\.argument)).subtracting(names).sorted()
            return (
                results + others.map { ComparisonRow(subject($0), measure: nil, note: note($0)) },
                CaseRecord(
                    kernel, name, kernels, kernelCase.values,
                    judged.map { CaseRecord.Result($0, answer: $1.answer) })
            )
        }
    }

    /// Cases of drawn sizes and values, with the truth by the catalog's reference in double: `count` with all arguments,
    /// and one without those that may be absent.
    ///
    /// - Parameter elements: the most elements that all arguments of a case have together.
    public static func drawn<K: Kernel<Float>>(
        _ kernel: K.Type, from catalog: KernelCatalog, count: Int = 3, elements: Int = 4096, seed: UInt64 = 1
    ) -> [CaseTrial] {
        let reference = KernelSet(catalog.exact)
        let optional = Set(K().signature.arguments.filter(\.isOptional).map(\.name))
        let absences = [Set<String>](repeating: [], count: count) + (optional.isEmpty ? [] : [optional])
        return absences.enumerated().map { number, absent in
            let call = DrawnCall(
                small: kernel, elements: elements, absent: absent, seed: seed &+ UInt64(number) << 32)
            return CaseTrial(
                kernel,
                KernelCase(kernel, name: "drawn at \(K.words(forSizes: call.sizes))", call, by: reference))
        }
    }
}

extension [CaseTrial] {
    /// What is to blame in `implementation`, judged among reference kernels case by case until one fails, and the rows up
    /// to there.
    ///
    /// - Throws: ``HarnessError`` where the machine has no room for a trial.
    public func verdict(
        on implementation: Implementation<Float>, among catalog: KernelCatalog = .standard, threads: Int
    ) throws(HarnessError) -> (blamed: VerificationReport.Blame?, rows: [ComparisonRow]) {
        var kernels = KernelSet<Float>(catalog.reference, workers: Workers(count: threads))
        kernels.use(implementation)
        var rows: [ComparisonRow] = []
        for trial in self {
            rows += try trial.examine(kernels).rows
            if let blamed = Blame.of(rows) { return (blamed, rows) }
        }
        return (nil, rows)
    }
}

extension KernelCase {
    /// The name without the pass: `primes` of `forward/primes`.
    fileprivate var shortName: String { name.split(separator: "/").last.map(String.init) ?? name }
}

extension KernelCase.Result {
    /// The worst of several answers, element by element against its bound, and what its errors have in common.
    fileprivate func judge(
        _ answers: [[Float]], sizes: [String: Int]
    ) -> (measure: ComparisonRow.Measure?, explanation: ComparisonRow.Explanation?, answer: [Float]) {
        let shape = argument.shape
        var worst: (measure: ErrorMeasure, answer: [Float])?
        for answer in answers {
            var measure = ErrorMeasure()
            add(answer, to: &measure)
            if measure.worst > worst?.measure.worst ?? -1 { worst = (measure, answer) }
        }
        guard let worst else { return (nil, nil, []) }
        let measure = ComparisonRow.Measure(worst.measure, shape: shape)
        guard !measure.holds else { return (measure, nil, worst.answer) }
        return (
            measure,
            ComparisonRow.Explanation(
                actual: worst.answer.map(Double.init), truth: truth, bound: bound,
                initial: initial?.map(Double.init), shape: shape, coverage: argument.coverage, sizes: sizes),
            worst.answer
        )
    }
}
