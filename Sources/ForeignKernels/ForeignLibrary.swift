import Foundation
import Kernels
import Sentinel
import Synchronization
import Tensors

/// A C shared library whose kernels are called in child processes: they may crash, hang, end their process or write where
/// they must not, and this process goes on.
public final class ForeignLibrary: Sendable {
    /// The path as given.
    public let path: String
    /// The file's name, which stands for the library in flags and reports.
    public var name: String { Self.name(of: path) }
    /// The kernels that it has a function for.
    public let provided: [KernelName]
    /// Those of the ABI that it has none for.
    public let missing: [KernelName]
    /// Whether loading it changes what float arithmetic gives in the thread that loads it, as a library that was linked
    /// with `-Ofast` does: subnormals are flushed to zero, or results rounded otherwise.
    public let changesFloatingPoint: Bool

    private let kernels: [any Kernel<Float>.Type]
    private let state = Mutex<State>(State())

    private struct State {
        /// Processes that live on, in the order in which they began.
        var processes: [Caller] = []
        /// How often each kernel ended its process, and how it did last.
        var deaths: [KernelName: (count: Int, last: CallIncident)] = [:]
    }

    /// A process that calls one kernel, with arguments that lie in one arena.
    private struct Caller {
        let kernel: KernelName
        weak var arena: GuardedArena?
        /// Holds the call to make.
        let slot: CallSlot
        let process: ChildProcess
    }

    /// Looks, in a child process, at which of `kernels` the library at `path` has.
    ///
    /// - Throws: ``ForeignLibraryError`` when it cannot be loaded, or has none of them.
    public init(_ path: String, kernels: [any Kernel<Float>.Type]) throws(ForeignLibraryError) {
        guard FileManager.default.fileExists(atPath: path) else {
            throw ForeignLibraryError(path, "there is no such file", remedy: "check the path")
        }
        let names = kernels.map { $0.name }
        let content = try Self.content(of: path, names)
        guard content.provided.contains(true) else {
            throw ForeignLibraryError(
                path, "it exports no function of include/plumbline_kernels.h",
                remedy: "export some under C names, such as gelu_forward")
        }
        self.path = path
        self.kernels = kernels
        provided = zip(names, content.provided).filter(\.1).map(\.0)
        missing = zip(names, content.provided).filter { !$0.1 }.map(\.0)
        changesFloatingPoint = content.changesFloatingPoint
    }

    /// The kernels that it has, each call of which runs in a child process. Whoever makes one learns what happened in it
    /// by ``CallIncident/during(_:)``.
    public var implementations: [Implementation<Float>] {
        kernels.filter { provided.contains($0.name) }.map { implementation($0) }
    }

    /// Ends the processes that wait for calls; a later call begins a new one.
    public func rest() {
        state.withLock { $0.processes = [] }
    }

    /// Whether `name`, in a flag, is the path of a shared library.
    public static func isPath(_ name: String) -> Bool {
        name.contains("/") || name.hasSuffix(".so")
    }

    /// The name of the library at `path`.
    public static func name(of path: String) -> String { (path as NSString).lastPathComponent }

    // MARK: - In the child

    private static func content(
        of path: String, _ kernels: [KernelName]
    ) throws(ForeignLibraryError) -> (provided: [Bool], changesFloatingPoint: Bool) {
        let (found, outcome): (GuardedBuffer, ChildProcess.Outcome)
        do throws(HarnessError) {
            // A byte for each kernel, which the child sets where the library has it.
            let bytes = try GuardedBuffer(of: UInt8.self, count: kernels.count, .aligned)
            let process = try ChildProcess("looking at it") { _ in look(at: path, kernels, bytes.view(of: UInt8.self)) }
            (found, outcome) = (bytes, try process.run(0, within: patience))
        } catch {
            throw ForeignLibraryError(path, error.problem, remedy: error.remedy)
        }
        guard case .returned(let answer) = outcome.end else {
            throw ForeignLibraryError(
                path, "it crashes, hangs or ends its process when it is loaded", remedy: "mend its initializers")
        }
        guard answer >= 0 else { throw ForeignLibraryError(path, loading: outcome.lastWords) }
        return (found.view(of: UInt8.self).buffer.map { $0 == 1 }, answer == 1)
    }

    /// Sets a byte for each kernel that the library has, and says with 1 that loading it changes the floating-point
    /// environment, with -1 that it cannot be loaded.
    private static func look(at path: String, _ kernels: [KernelName], _ found: MutableView<UInt8>) -> Int32 {
        FloatingPointEnvironment.restore()
        do {
            let library = try LoadedLibrary(path)
            let isChanged = FloatingPointEnvironment.changes.contains(.results)
            for (index, kernel) in kernels.enumerated() {
                found[index] = library.function(of: kernel) == nil ? 0 : 1
            }
            return isChanged ? 1 : 0
        } catch {
            Callee.say(error)
            return -1
        }
    }

    // MARK: - In the parent

    private func implementation<K: Kernel<Float>>(_ kernel: K.Type) -> Implementation<Float> {
        Implementation(name) { [self] (call: K, workers: Workers) in run(call, threads: Int32(workers.count)) }
    }

    private func run<K: Kernel<Float>>(_ call: K, threads: Int32) {
        CrashNote.clear()
        state.withLock { state in
            do throws(HarnessError) {
                let arguments = try withRoom(&state) { () throws(HarnessError) in try GuardedArguments(call) }
                let incidents = try run(arguments, threads: threads, &state)
                arguments.finish()
                for incident in incidents { incident.report() }
                guard incidents.contains(where: \.isFatal) else { return }
            } catch {
                CallIncident.report(error)
            }
            // There is no result.
            for result in call.results { result.view.fill(.nan) }
        }
    }

    /// Makes the call, or the series of calls that is under way, in the process of its arguments' arena, or in a new one;
    /// gives what happened.
    private func run<K: Kernel<Float>>(
        _ arguments: GuardedArguments<K>, threads: Int32, _ state: inout State
    ) throws(HarnessError) -> [CallIncident] {
        if let deaths = state.deaths[K.name], deaths.count >= Self.mostDeaths { return [deaths.last] }
        state.processes.removeAll { $0.arena == nil }
        // Calls in the same memory go to the same process: that is fast, and a kernel that remembers shows it.
        let earlier = state.processes.firstIndex { $0.kernel == K.name && $0.arena === arguments.arena }
        let passed = ForeignArguments(arguments.call)
        let tape = CallSeries.take(for: K.name, in: arguments.arena)
        // Between the calls of a series its inputs are written.
        let pages = tape == nil ? arguments.pages : arguments.pages.map { $0.ofGuards }
        let operations = arguments.call.cost.operations
        let patience =
            tape == nil
            ? Self.patience + Double(operations) / Self.slowest
            : Self.patience + Double(CallSeries.most) * (Self.patiencePerCall + Double(operations) / Self.slowest)
        func outcome(_ caller: Caller) throws(HarnessError) -> ChildProcess.Outcome {
            caller.slot.question = CallSlot.Question(words: passed.words, pages: pages, tape: tape ?? 0)
            return try caller.process.run(threads, within: patience)
        }
        func begin() throws(HarnessError) -> (Caller, ChildProcess.Outcome) {
            let caller = try self.caller(K.name, passed, arguments.arena, &state)
            let ended = try outcome(caller)
            if case .returned(Callee.Answer.lacksPages.rawValue) = ended.end {
                throw HarnessError("guard pages cannot be had", remedy: "see that this system allows mprotect")
            }
            return (caller, ended)
        }
        let (caller, ended): (Caller, ChildProcess.Outcome)
        if let waiting = earlier.map({ state.processes.remove(at: $0) }) {
            do throws(HarnessError) {
                (caller, ended) = (waiting, try outcome(waiting))
            } catch {
                // It may have been killed while it waited.
                (caller, ended) = try begin()
            }
        } else {
            (caller, ended) = try begin()
        }
        if case .returned(Callee.Answer.isNotThere.rawValue) = ended.end {
            throw HarnessError(
                "\(path) cannot be loaded any more (\(ended.lastWords))",
                remedy: "see that it stays in place, and that ulimit -v and -n allow it")
        }
        let incidents = Self.incidents(ended, caller.slot)
        if let incident = incidents.first(where: \.isFatal) {
            let deaths = if case .hung = ended.end { Self.mostDeaths } else { (state.deaths[K.name]?.count ?? 0) + 1 }
            state.deaths[K.name] = (deaths, incident)
        } else if arguments.copiedBytes <= 1 << 20 {
            // Each process holds on to a copy of what this one had in memory: not for large models.
            state.processes.append(caller)
            if state.processes.count > ChildProcess.most { state.processes.removeFirst() }
        }
        return incidents
    }

    /// A process for calls like that. It cannot see an arena that is newer than itself.
    private func caller(
        _ kernel: KernelName, _ passed: ForeignArguments, _ arena: GuardedArena, _ state: inout State
    ) throws(HarnessError) -> Caller {
        try withRoom(&state) { () throws(HarnessError) in
            let slot = try CallSlot()
            let callee = Callee(path, kernel, passed.kinds, slot, arena: arena.addresses)
            let process = try ChildProcess("\(kernel) of \(path)") { callee.make(threads: $0).rawValue }
            return Caller(kernel: kernel, arena: arena, slot: slot, process: process)
        }
    }

    /// Makes something that the system may refuse: then processes that wait make room for it, the oldest first.
    private func withRoom<Made>(
        _ state: inout State, _ make: () throws(HarnessError) -> Made
    ) throws(HarnessError) -> Made {
        while true {
            do throws(HarnessError) {
                return try make()
            } catch {
                guard !state.processes.isEmpty else { throw error }
                state.processes.removeFirst((state.processes.count + 1) / 2)
            }
        }
    }

    /// A kernel that ended its process so often, or hung once, is not called any more.
    private static let mostDeaths = 16
    /// How long loading may take, and a call besides what its operations take, in seconds.
    private static let patience = 5.0
    /// The same of each call of a series, for which threads may have to be woken.
    private static let patiencePerCall = 0.01
    /// A kernel that makes fewer operations in a second than this hangs.
    package static let slowest = 2e7

    private static func incidents(_ outcome: ChildProcess.Outcome, _ slot: CallSlot) -> [CallIncident] {
        let words = outcome.lastWords
        func incident(_ what: String, isFatal: Bool = false) -> CallIncident {
            CallIncident(argument: nil, note: "the kernel \(what)", isFatal: isFatal)
        }
        func fatal(_ what: String) -> CallIncident {
            incident("\(what)\(words.isEmpty ? "" : ", saying '\(words)'")", isFatal: true)
        }
        let end: [CallIncident] =
            switch outcome.end {
            case .returned(Callee.Answer.lacksPages.rawValue): [incident("unmapped its arguments", isFatal: true)]
            case .returned: slot.answer.notes.map { CallIncident(argument: nil, note: $0, isFatal: false) }
            case .crashed(let reason): [fatal("crashed on \(reason)")]
            case .exited(let code): [fatal("ended its process, with exit code \(code)")]
            case .hung: [fatal("did not return")]
            case .forged: [fatal("wrote to descriptors that are not its own")]
            }
        // How many there were at that moment is chance.
        return end + (outcome.strays > 0 ? [incident("left a process running, which was ended")] : [])
    }
}
