import Accuracy
import Kernels
import Sentinel

/// The trial of one kernel at drawn sizes: what it computes is held against the reference in double, the whole of it or,
/// where the call is large, parts with all their ends.
struct DrawnTrial {
    /// What was found at a result.
    struct Finding {
        /// What it should be.
        let truth: Truth.Result
        /// What the kernel left there.
        let answer: [Float]
        let measure: ErrorMeasure
        /// What the kernel did besides that it must not.
        let notes: [String]

        /// Whether the result holds.
        var holds: Bool { notes.isEmpty && measure.count > 0 && measure.worst <= 1 }
    }

    /// What the kernel was called with.
    let values: CallValues<Float>
    /// By each result.
    let findings: [Finding]

    /// Tries the implementation that `kernels` has of `kernel`, on their threads and on that number of them.
    ///
    /// - Throws: ``HarnessError`` where the machine has no room for it.
    init<K: Kernel<Float>>(
        _ kernel: K.Type, _ drawn: DrawnCase, _ kernels: KernelSet<Float>, by reference: KernelSet<Double>, threads: Int
    ) throws(HarnessError) {
        let call = drawn.call
        guard let truth = try? Truth(call, of: kernel, by: reference) else {
            preconditionFailure("\(K.name): no sizes \(call.sizes)")
        }
        values = call.values(of: K.InDouble.self, by: reference).converted(to: Float.self)
        let trial = try KernelTrial(
            briefly: kernel, values, drawn.name, kernels, threads: threads)
        findings = zip(truth.results, trial.answers).enumerated().map { number, found in
            let (result, answers) = found
            // What was found at an input belongs to no result: the first will do.
            let notes = trial.findings.filter { finding in
                finding.argument == result.argument.name
                    || number == 0 && !truth.results.contains { $0.argument.name == finding.argument }
            }.map { $0.argument == result.argument.name ? $0.note : "\($0.argument): \($0.note)" }
            var measure = ErrorMeasure()
            let answer = answers.first ?? []
            for (position, index) in result.indices.enumerated() where !answer.isEmpty {
                measure.add(
                    index: index, actual: Double(answer[index]), torch: nil, truth: result.values[position],
                    bound: result.bounds[position])
            }
            return Finding(truth: result, answer: answer, measure: measure, notes: notes)
        }
    }
}
