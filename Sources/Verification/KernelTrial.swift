import Accuracy
import ForeignKernels
import Kernels
import Sentinel
import Tensors

/// The trial of one kernel on one case. A kernel is not trusted: it is run in several places of memory, on several
/// numbers of threads and after a call with other inputs, and everything that it may not do is watched for.
struct KernelTrial {
    /// The numbers of threads on which results must have the same bits.
    static let threads = [1, 2, 3, 5]

    /// What one result held after each run that is judged by its bound.
    private(set) var answers: [[[Float]]] = []
    /// What the kernel did that it must not, by argument; each note once.
    private(set) var findings: [(argument: String, note: String)] = []

    private let results: [Argument]
    private let kernels: KernelSet<Float>
    /// What this process is to be left as.
    private let state = ProcessState()
    /// What a crash of this process is told by, while the kernel runs.
    private let crashNote: String
    /// Whether the calls were made in processes of their own, and the most threads of one.
    private var isContained = false
    private var mostThreads = 1
    /// Whether a call did not come back; there is no use in more of them.
    private var isOver = false

    /// Tries the implementation that `kernels` has of `K`.
    ///
    /// - Throws: ``HarnessError`` where the machine has no room for it.
    init<K: Kernel<Float>>(
        _ kernel: K.Type, _ kernelCase: KernelCase, _ kernels: KernelSet<Float>
    ) throws(HarnessError) {
        let values = kernelCase.values
        self.init(of: kernel, values, kernelCase.name, kernels)
        for placement in [GuardedBuffer.Placement.aligned, .atStart] {
            let call = try GuardedCall<K>(values, placement)
            try run(call, kernels.workers, asDecoy: true)
            judge(try run(call, kernels.workers))
            if isOver { return }
        }
        // The same bits are asked of runs in the same place: a kernel may take its sums apart by alignment.
        let call = try GuardedCall<K>(values, .atEnd)
        let first = try run(call, kernels.workers)
        judge(first)
        compare(try run(call, kernels.workers), first, "a second run on the same inputs")
        for count in Self.threads { try compare(call, onThreads: count, first) }
        noteState()
    }

    /// Tries it in one place of memory, on the set's threads and, if a number is given, on so many.
    ///
    /// - Throws: ``HarnessError`` where the machine has no room for it.
    init<K: Kernel<Float>>(
        briefly kernel: K.Type, _ values: CallValues<Float>, _ name: String, _ kernels: KernelSet<Float>, threads: Int?
    ) throws(HarnessError) {
        self.init(of: kernel, values, name, kernels)
        let call = try GuardedCall<K>(values, .atEnd)
        let first = try run(call, kernels.workers)
        judge(first)
        if !isOver, let threads { try compare(call, onThreads: threads, first) }
        noteState()
    }

    /// A trial in which no call was made yet.
    private init<K: Kernel<Float>>(
        of kernel: K.Type, _ values: CallValues<Float>, _ name: String, _ kernels: KernelSet<Float>
    ) {
        self.kernels = kernels
        // That of the kernels' own threads is restored after every trial.
        FloatingPointEnvironment.restore()
        results = K(sizes: values.sizes, overwrites: values.overwrites) { _ in nil }.signature.results.filter {
            !values.absent.contains($0.name)
        }
        answers = results.map { _ in [] }
        // By the name that --case takes.
        let title = "\(K.name.operation)/\(K.name.pass.rawValue)/\(name.split(separator: "/").last ?? "")"
        crashNote = "verify: \(K.name) (\(kernels.implementation(of: kernel) ?? "none")), case \(title),"
    }

    /// Runs the kernel once and returns its results.
    @discardableResult
    private mutating func run<K: Kernel<Float>>(
        _ call: GuardedCall<K>, _ workers: Workers, asDecoy: Bool = false
    ) throws(HarnessError) -> [[Float]] {
        call.fill(asDecoy: asDecoy)
        var kernels = kernels
        kernels.workers = workers
        let (incidents, isContained) = try CallIncident.log {
            CrashNote.during(crashNote) { call.protecting { kernels.run(call.call) } }
        }
        self.isContained = isContained
        mostThreads = max(mostThreads, workers.count)
        for incident in incidents { note(incident.argument, incident.note) }
        isOver = isOver || incidents.contains(where: \.isFatal)
        guard !asDecoy else { return [] }
        for (argument, text) in call.trespasses { note(argument, text) }
        return call.results.map { Array($0.buffer) }
    }

    /// Notes what the calls left of this process and of its threads that was not there, and restores it.
    private mutating func noteState() {
        // What was contained leaves nothing here.
        guard !isContained else { return }
        let left = FloatingPointEnvironment.restore(Workers(count: mostThreads)).notes() + state.changes().notes
        for text in left { note(nil, text) }
    }

    private mutating func judge(_ results: [[Float]]) {
        for (index, result) in results.enumerated() { answers[index].append(result) }
    }

    private mutating func compare<K: Kernel<Float>>(
        _ call: GuardedCall<K>, onThreads count: Int, _ others: [[Float]]
    ) throws(HarnessError) {
        compare(try run(call, Workers(count: count)), others, count == 1 ? "one thread" : "\(count) threads")
    }

    private mutating func compare(_ answers: [[Float]], _ others: [[Float]], _ what: String) {
        for (argument, (a, b)) in zip(results, zip(answers, others)) {
            // Most are the same, which is found at once.
            if a.withUnsafeBytes({ a in b.withUnsafeBytes { a.hasSameBytes(as: $0) } }) { continue }
            let difference = a.indices.first {
                a[$0].bitPattern != b[$0].bitPattern && argument.coverage.contains($0, shape: argument.shape)
            }
            if let difference { note(argument.name, "\(what) gave other bits, first at element \(difference)") }
        }
    }

    /// Notes what was found at an argument, or at the kernel as such.
    private mutating func note(_ argument: String?, _ text: String) {
        guard let argument = argument ?? results.first?.name else { return }
        if !findings.contains(where: { $0 == (argument, text) }) { findings.append((argument, text)) }
    }
}
