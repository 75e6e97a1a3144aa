import Kernels
import Sentinel
import Synchronization

/// Many calls of one kernel at the same addresses, in one process, on a few sets of inputs that take turns: in the child
/// process of a library's kernel, else in this one.
public final class CallSeries: Sendable {
    /// How many calls are made: more than a kernel need count to before it goes wrong.
    public static let most = 2500

    private let kernel: KernelName
    /// The names of the arguments that the call has.
    private let names: [String]
    private let memory: GuardedBuffer
    /// Whether a library has taken it.
    private let isTaken = Atomic<Bool>(false)

    /// A series that is under way.
    @TaskLocal private static var current: CallSeries?

    /// A series of ``most`` calls like `call`, on that many sets; ``record(_:)`` comes next.
    ///
    /// - Throws: ``HarnessError`` where there is no memory for it.
    public init<K: Kernel<Float>>(_ call: K, sets: Int) throws(HarnessError) {
        let arguments = call.arguments.filter(\.isPresent)
        kernel = K.name
        names = arguments.map(\.argument.name)
        var end = 8 * (CallTape.fieldStart + arguments.count * CallTape.Field.allCases.count)
        func take(_ bytes: Int) -> Int {
            defer { end += (bytes + 63) / 64 * 64 }
            return end
        }
        let masks = arguments.map { $0.argument.coverage == .all ? 0 : take($0.count) }
        let setBytes = arguments.reduce(0) { $0 + 4 * $1.count }
        let answerBytes = arguments.reduce(0) { $0 + ($1.argument.isResult ? 4 * $1.count : 0) }
        let (images, answers) = (take(sets * setBytes), take(sets * answerBytes))
        let space = try GuardedSpace(for: K.name.symbol, holding: [end])
        memory = try GuardedBuffer(of: UInt8.self, count: end, .aligned, in: space)
        memory.view(of: UInt8.self).fill(0)
        tape[.wanted] = Self.most
        tape[.sets] = sets
        tape[.arguments] = arguments.count
        (tape[layout: CallTape.layout.sets], tape[layout: CallTape.layout.setBytes]) = (images, setBytes)
        (tape[layout: CallTape.layout.answers], tape[layout: CallTape.layout.answerBytes]) = (answers, answerBytes)
        var (image, answer) = (0, 0)
        for (index, bound) in arguments.enumerated() {
            tape[index, .address] = Int(bitPattern: bound.address)
            tape[index, .bytes] = 4 * bound.count
            tape[index, .isResult] = bound.argument.isResult ? 1 : 0
            (tape[index, .image], tape[index, .answer], tape[index, .mask]) = (image, answer, masks[index])
            image += 4 * bound.count
            if bound.argument.isResult { answer += 4 * bound.count }
            guard masks[index] > 0 else { continue }
            for element in 0..<bound.count where bound.argument.coverage.contains(element, shape: bound.argument.shape)
            {
                tape.byte(masks[index] + element).storeBytes(of: 1, as: UInt8.self)
            }
        }
    }

    private var tape: CallTape {
        CallTape(at: UInt(bitPattern: memory.view(of: UInt64.self).base)).unsafelyUnwrapped
    }

    /// Takes what the arguments hold now for that set of inputs.
    public func record(_ set: Int) {
        for index in names.indices {
            tape.image(index, set: set).copyMemory(from: tape.argument(index), byteCount: tape[index, .bytes])
        }
    }

    /// Makes the calls: `call` makes one. What happened besides is told as ``CallIncident``.
    public func make(_ call: () -> Void) {
        Self.$current.withValue(self, operation: call)
        if !isTaken.load(ordering: .relaxed) { tape.run(inChild: false, call) }
    }

    /// The tape of the series that is under way and asks for calls of that kernel, for a library to run in a process that
    /// shares `arena`; nil if there is none.
    static func take(for kernel: KernelName, in arena: GuardedArena) -> UInt? {
        guard let current, current.kernel == kernel, current.memory.arena === arena else { return nil }
        current.isTaken.store(true, ordering: .relaxed)
        return UInt(bitPattern: current.memory.view(of: UInt64.self).base)
    }

    // MARK: - What came of it

    /// The calls made: fewer than asked for where one did not come back, or the kernel leaks.
    public var made: Int { tape[.made] }

    /// What the result of that name held after the first call of that set.
    public func answer(_ name: String, set: Int) -> [Float] {
        guard let index = names.firstIndex(of: name) else { return [] }
        let answer = UnsafeRawBufferPointer(start: tape.answer(index, set: set), count: tape[index, .bytes])
        return (0..<answer.count / 4).map { answer.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }

    /// What the calls did that they must not, by argument, or nil where it concerns the kernel as such.
    public var findings: [(argument: String?, note: String)] {
        var findings: [(argument: String?, note: String)] = []
        if tape[.deviant] > 0 {
            findings.append(
                (
                    names[tape[.deviantArgument]],
                    "call \(tape[.deviant]) of \(tape[.wanted]) gave other bits than an earlier one on the same inputs, "
                        + "first at element \(tape[.deviantElement])"
                ))
        }
        if tape[.changed] > 0 { findings.append((names[tape[.changed] - 1], "the kernel changed its input")) }
        if tape[.leaking] > 0, let resource = LeakWatch.Resource(rawValue: tape[.leaking] - 1) {
            findings.append((nil, resource.note(perCall: tape[.leakPerCall])))
        }
        if tape[.freedTwice] > 0 { findings.append((nil, "the kernel freed memory twice")) }
        return findings
    }
}
