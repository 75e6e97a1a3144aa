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
    /// Where the tape has the answers of each: what it says itself may have been written over.
    private let answers: [(start: Int, bytes: Int)]
    private let answerBytes: Int
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
        let (images, answerStart) = (take(sets * setBytes), take(sets * answerBytes))
        let space = try GuardedSpace(for: K.name.symbol, holding: [end])
        memory = try GuardedBuffer(of: UInt8.self, count: end, .aligned, in: space)
        var answerEnd = answerStart
        answers = arguments.map { bound in
            defer { answerEnd += bound.argument.isResult ? 4 * bound.count : 0 }
            return (answerEnd, 4 * bound.count)
        }
        self.answerBytes = answerBytes
        memory.view(of: UInt8.self).fill(0)
        tape[.wanted] = Self.most
        tape[.sets] = sets
        tape[.arguments] = arguments.count
        (tape[layout: CallTape.layout.sets], tape[layout: CallTape.layout.setBytes]) = (images, setBytes)
        (tape[layout: CallTape.layout.answers], tape[layout: CallTape.layout.answerBytes]) = (answerStart, answerBytes)
        var image = 0
        for (index, bound) in arguments.enumerated() {
            tape[index, .address] = Int(bitPattern: bound.address)
            tape[index, .bytes] = 4 * bound.count
            tape[index, .isResult] = bound.argument.isResult ? 1 : 0
            (tape[index, .image], tape[index, .mask]) = (image, masks[index])
            tape[index, .answer] = answers[index].start - answerStart
            image += 4 * bound.count
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

    /// What the result of that name held after the first call of that set.
    public func answer(_ name: String, set: Int) -> [Float] {
        guard let index = names.firstIndex(of: name) else { return [] }
        let (start, bytes) = answers[index]
        let answer = tape.byte(start + set * answerBytes)
        return (0..<bytes / 4).map { answer.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }

    /// What the calls did that they must not, by argument, or nil where it concerns the kernel as such.
    public var findings: [(argument: String?, note: String)] {
        func name(_ index: Int) -> String? { names.indices.contains(index) ? names[index] : nil }
        var findings: [(argument: String?, note: String)] = []
        if tape[.deviant] > 0 {
            findings.append(
                (
                    name(tape[.deviantArgument]),
                    "call \(tape[.deviant]) of \(Self.most) gave other bits than an earlier one on the same inputs, "
                        + "first at element \(tape[.deviantElement])"
                ))
        }
        if tape[.changed] > 0 { findings.append((name(tape[.changed] - 1), "the kernel changed its input")) }
        if let resource = LeakWatch.Resource(rawValue: tape[.leaking] &- 1) {
            findings.append((nil, resource.note(perCall: tape[.leakPerCall])))
        }
        if tape[.freedTwice] > 0 { findings.append((nil, "the kernel freed memory twice")) }
        if findings.isEmpty && tape[.made] != Self.most {
            findings.append((nil, "the kernel wrote to memory that is not its own, or did not return"))
        }
        return findings
    }
}
