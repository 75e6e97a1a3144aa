import Accuracy
import Kernels
import Reporting
import Sentinel

/// The trial of one kernel at drawn sizes: what it computes is held against the reference in double, the whole of it or,
/// where the call is large, parts with all their ends.
struct DrawnTrial {
    /// What a call takes and should leave.
    struct Prepared: Sendable {
        let name: String
        let values: CallValues<Float>
        let truth: Truth

        /// Computes it, by a reference in double.
        init<K: Kernel<Float>>(_: K.Type, _ drawn: DrawnCase, by reference: KernelSet<Double>) {
            let call = drawn.call
            let values = call.values(of: K.InDouble.self, by: reference)
            guard let truth = try? Truth(call, of: K.self, by: reference, limit: 1 << 22, values: values) else {
                preconditionFailure("\(K.name): no sizes \(call.sizes)")
            }
            (name, self.values, self.truth) = (drawn.name, values, truth)
        }
    }

    /// What was found at a result.
    struct Finding {
        /// What it should be.
        let truth: Truth.Result
        /// What the kernel left there.
        let answer: [Float]
        let measure: ErrorMeasure
        /// What is wrong of it besides: of errors within their bounds that chance does not make, or of what the kernel did.
        let notes: [String]

        /// Whether the result holds.
        var holds: Bool { notes.isEmpty && measure.count > 0 && measure.worst <= 1 }

        /// The row of a report, in the case of that name.
        func row<K: Kernel<Float>>(
            _ kernel: K.Type, of kernels: KernelSet<Float>, _ name: String,
            explanation: ComparisonRow.Explanation? = nil
        ) -> ComparisonRow {
            ComparisonRow(
                ComparisonRow.Subject(kernel, of: kernels, .drawn, name, truth.argument.name),
                measure: ComparisonRow.Measure(measure, shape: truth.argument.shape), note: ComparisonRow.note(notes),
                explanation: explanation)
        }
    }

    /// What the kernel was called with.
    let values: CallValues<Float>
    /// By each result.
    let findings: [Finding]

    /// The most operations or elements of a call that is made twice.
    private static let mostWorkTwice = 1 << 28

    /// Tries the implementation that `kernels` has of `kernel`, on their threads and on that number of them.
    ///
    /// - Throws: ``HarnessError`` where the machine has no room for it.
    init<K: Kernel<Float>>(
        _ kernel: K.Type, _ prepared: Prepared, _ kernels: KernelSet<Float>, threads: Int
    ) throws(HarnessError) {
        let truth = prepared.truth
        values = prepared.values
        // A large call on other threads would tell little more, and take long.
        let isLarge = K.work(at: values.sizes) > Self.mostWorkTwice
        let trial = try KernelTrial(
            briefly: kernel, values, prepared.name, kernels, threads: isLarge ? nil : threads)
        findings = zip(truth.results, trial.answers).enumerated().map { number, found in
            let (result, answers) = found
            // What was found at an input belongs to no result: the first will do.
            let notes = trial.findings.filter { finding in
                finding.argument == result.argument.name
                    || number == 0 && !truth.results.contains { $0.argument.name == finding.argument }
            }.map { $0.argument == result.argument.name ? $0.note : "\($0.argument): \($0.note)" }
            guard let answer = answers.first else {
                return Finding(truth: result, answer: [], measure: ErrorMeasure(), notes: notes)
            }
            let (measure, blocks) = (result.measure(answer), result.blocks(answer))
            // An element beyond its bound says enough by itself.
            let byChance = blocks.flatMap { blocks in
                blocks.holds || measure.worst > 1
                    ? nil : blocks.words(of: result.argument) + ", though within the bound"
            }
            return Finding(
                truth: result, answer: answer, measure: measure, notes: notes + [byChance].compactMap(\.self))
        }
    }
}
