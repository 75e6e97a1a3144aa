import Foundation
import Kernels
import Sentinel
import Tensors

/// A kernel of a library in its child process: made before the fork, it loads the library in the child, and makes one call
/// after another there.
final class Callee {
    /// How a call ended that came back.
    enum Answer: Int32 {
        case made = 0
        /// The library cannot be loaded again.
        case isNotThere = -1
        /// Pages that the parent shares are not there.
        case lacksPages = -2
    }

    private let path: String
    private let kernel: KernelName
    private let kinds: [ForeignArguments.Kind]
    private let slot: CallSlot
    /// The pages that may be closed.
    private var closed: [Range<UInt>]
    private var loaded: (library: LoadedLibrary, function: ForeignFunction, state: ProcessState)?

    /// The kernel of the library at `path`, with arguments passed so, which lie in the arena at those addresses.
    init(
        _ path: String, _ kernel: KernelName, _ kinds: [ForeignArguments.Kind], _ slot: CallSlot, arena: Range<UInt>
    ) {
        (self.path, self.kernel, self.kinds, self.slot, closed) = (path, kernel, kinds, slot, [arena])
    }

    /// Makes the call, or the series of calls, that the slot holds.
    func make(threads: Int32) -> Answer {
        guard let (library, function, state) = load() else { return .isNotThere }
        let question = slot.question
        let arePages = closed.allSatisfy { PageProtection.open($0) } && question.pages.allSatisfy { $0.close() }
        closed = question.pages.map(\.addresses)
        guard arePages else { return .lacksPages }
        FloatingPointEnvironment.restore()
        ChildProcess.taint()
        let tape = CallTape(at: question.tape)
        func call() { library.run(function, kinds, question.words, threads: threads) }
        if let tape { tape.run(inChild: true, call) } else { call() }
        let float = FloatingPointEnvironment.restore()
        let changes = state.changes()
        // What takes long is looked at once.
        let elsewhere = tape == nil ? [] : FloatingPointEnvironment.restoreElsewhere()
        slot.answer = CallSlot.Answer(
            float: UInt64(float.rawValue), floatElsewhere: UInt64(elsewhere.rawValue), kept: UInt64(changes.kinds),
            handlers: changes.handlers)
        return .made
    }

    private func load() -> (library: LoadedLibrary, function: ForeignFunction, state: ProcessState)? {
        if let loaded { return loaded }
        // Idle threads of OpenMP are to sleep: many processes wait at a time.
        setenv("OMP_WAIT_POLICY", "passive", 0)
        do {
            let library = try LoadedLibrary(path)
            guard let function = library.function(of: kernel) else { return nil }
            // The runtime of a language may set its handlers in a thread of its own, a moment later.
            if LeakWatch.threads > 1 { usleep(20_000) }
            loaded = (library, function, ProcessState())
        } catch {
            Self.say(error)
        }
        return loaded
    }

    /// Leaves the reason for the parent to read.
    static func say(_ error: ForeignLibraryError) {
        let line = Array("\(error.reason)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }
}
