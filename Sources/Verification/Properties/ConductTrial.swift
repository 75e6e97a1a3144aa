import Accuracy
import ForeignKernels
import Kernels
import Sentinel

/// The trial of what a kernel does besides computing, and from call to call: thousands of calls in one process, at the same
/// addresses, with inputs that are alike in part. The first answer on each set of inputs is held to the truth, all others
/// to its bits; the process and the memory must be as they were.
struct ConductTrial {
    /// What was found at an argument.
    struct Finding {
        let argument: Argument
        /// The errors of a result; none of an input, or where a call did not come back.
        let measure: ErrorMeasure?
        /// What the kernel did that it must not.
        var notes: [String]
    }

    /// By each result, then by each input at which something was found.
    private(set) var findings: [Finding] = []
    /// What shows whether the kernel writes after its return; nil where there is no use in it.
    private let late: LateWatch?
    private let signature: Signature

    private static let sets = 4
    /// The most elements of all arguments together: thousands of calls are to be quick.
    private static let elements = 1500

    /// Tries the implementation that `kernels` has of `kernel`, against a reference in double.
    ///
    /// - Throws: ``HarnessError`` where the machine has no room for it.
    init<K: Kernel<Float>>(
        _ kernel: K.Type, _ kernels: KernelSet<Float>, by reference: KernelSet<Double>, seed: UInt64
    ) throws(HarnessError) {
        let drawn = Self.call(of: kernel, seed: seed)
        let derived = DrawnCall.derived(of: K.InDouble.self)
        let sets = (0..<Self.sets).map { set in
            drawn.values(of: K.InDouble.self, by: reference, from: AlikeElements(drawn, set: set))
        }
        let cases = sets.map { values in
            // What forward calls leave stays as well: a kernel may know its inputs by that.
            var values = values
            for name in derived { values.numbers[name] = sets[0].numbers[name] }
            let truth = values.converted(to: Double.self).results(of: K.InDouble.self, by: reference)
            return KernelCase(kernel, name: KernelProperty.conduct.rawValue, values, truth: truth)
        }
        let call = try GuardedCall<K>(cases[0].values, .aligned)
        let series = try CallSeries(call.call, sets: cases.count)
        for (set, kernelCase) in cases.enumerated() {
            call.fill(kernelCase.values)
            series.record(set)
        }
        let state = ProcessState()
        FloatingPointEnvironment.restore(kernels.workers)
        let (incidents, isContained) = try CallIncident.log {
            CrashNote.during("verify: \(K.name) (\(kernels.implementation(of: kernel) ?? "none")), conduct,") {
                series.make { kernels.run(call.call) }
            }
        }
        let left =
            isContained ? [] : FloatingPointEnvironment.restore(kernels.workers).notes() + state.changes().notes
        let isOver = incidents.contains(where: \.isFatal)
        late = isOver ? nil : LateWatch(call)
        signature = call.call.signature
        let results = cases[0].results
        if !isOver {
            findings = results.indices.map { index in
                let answers = cases.indices.map { series.answer(results[index].argument.name, set: $0) }
                return Finding(
                    argument: results[index].argument, measure: Self.measure(cases.map { $0.results[index] }, answers),
                    notes: [])
            }
        }
        for incident in incidents { note(incident.argument, incident.note) }
        for text in left { note(nil, text) }
        for (argument, text) in isOver ? [] : series.findings { note(argument, text) }
        for (argument, text) in call.strayings { note(argument, text) }
    }

    /// A call of few elements, as many of which as may be change from set to set.
    private static func call<K: Kernel<Float>>(of kernel: K.Type, seed: UInt64) -> DrawnCall {
        func changing(_ call: DrawnCall) -> Int {
            call.signature(kernel).arguments.reduce(0) { sum, argument in
                argument.role == .output ? sum : sum + AlikeElements.changing(of: argument.count)
            }
        }
        let calls = (0..<16).map {
            DrawnCall(small: kernel, elements: elements, seed: seed &+ UInt64($0) << 48)
        }
        return calls.max { changing($0) < changing($1) } ?? calls[0]
    }

    /// Looks whether the kernel wrote after its return; waits until that can be said.
    mutating func lookLate() {
        for (argument, text) in late?.findings() ?? [] { note(argument, text) }
    }

    /// The errors of a result on every set.
    private static func measure(_ results: [KernelCase.Result], _ answers: [[Float]]) -> ErrorMeasure {
        var measure = ErrorMeasure()
        for (result, answer) in zip(results, answers) { result.add(answer, to: &measure) }
        return measure
    }

    /// Notes what was found at an argument, or at the kernel as such; each note once.
    private mutating func note(_ name: String?, _ text: String) {
        guard let argument = name.flatMap({ signature[$0] }) ?? signature.results.first else { return }
        guard let index = findings.firstIndex(where: { $0.argument.name == argument.name }) else {
            return findings.append(Finding(argument: argument, measure: nil, notes: [text]))
        }
        if !findings[index].notes.contains(text) { findings[index].notes.append(text) }
    }
}
