import Fixtures
import ForeignKernels
import Kernels
import Platform
import Sentinel
import Tensors

/// Follows a model's kernel calls: which kernel wrote which tensor last, in which order. When it forces, it also gives
/// each kernel the reference's inputs, so that every kernel is judged alone.
///
/// A forced tensor is complete when a kernel first reads it: it is compared then, before the reference overwrites it.
/// All others are compared at the end, in order of execution.
final class CallWatcher: KernelInterceptor {
    typealias Scalar = Float

    /// The last write of a tensor.
    struct Write {
        let tensor: ModelTensor
        /// The kernel; nil where the model itself wrote it.
        let kernel: KernelName?
        /// The elements that the kernel's contract speaks of.
        let coverage: Coverage
        /// The roundings behind it: of the kernels that wrote it where inputs are forced, else of the longest so far.
        let roundings: Int
        /// The place of the call in the order of execution.
        let order: Int
        /// The time of the call, shared among its results, in seconds.
        var seconds: Double?
        /// What the kernel did that it must not, in words.
        var findings: [String] = []
    }

    private let tensors: ModelTensors
    /// Overwrites a tensor with the reference's; nil when the model is to run on its own outputs.
    private let force: ((ModelTensor) throws(FixtureError) -> Void)?
    private var compare: (Write) throws(FixtureError) -> Void = { _ in }
    private var pending: [String: Write] = [:]
    private var known: Set<String> = []
    private var asForced: Set<String> = []
    private var calls = 0
    /// The largest number of roundings of any kernel so far.
    private(set) var roundings = 1
    private var error: FixtureError?
    /// Why a call could not be made, if one could not.
    private var failure: HarnessError?

    /// A watcher of the model of those tensors.
    init(_ tensors: ModelTensors, forcing force: ((ModelTensor) throws(FixtureError) -> Void)?) {
        self.tensors = tensors
        self.force = force
    }

    /// Runs `body`, which runs the model, and hands every tensor that was written to `compare`.
    func watch(_ compare: (Write) throws(FixtureError) -> Void, during body: () -> Void) throws(FixtureError) {
        withoutActuallyEscaping(compare) { compare in
            self.compare = compare
            body()
            for write in pending.values.sorted(by: { ($0.order, $0.tensor.path) < ($1.order, $1.tensor.path) }) {
                attempt { () throws(FixtureError) in try compare(write) }
            }
            self.compare = { _ in }
        }
        if let error { throw error }
    }

    /// Checks that every call was made.
    func requireAllCalls() throws(HarnessError) {
        if let failure { throw failure }
    }

    func intercept<K: Kernel>(_ call: K, run: (K) -> Void) where K.Scalar == Float {
        guard failure == nil else { return }
        let arguments = call.arguments
        let inputs = arguments.filter { !$0.argument.isResult && $0.view.count > 0 }
        for tensor in inputs.compactMap({ tensors[UnsafePointer($0.view.base)] }) where tensor.isResult {
            if known.insert(tensor.path).inserted {
                pending[tensor.path] = Write(
                    tensor: tensor, kernel: nil, coverage: .all, roundings: force == nil ? roundings : 1, order: calls)
            }
            guard let force, asForced.insert(tensor.path).inserted else { continue }
            attempt { () throws(FixtureError) in
                if let write = pending.removeValue(forKey: tensor.path) { try compare(write) }
                try force(tensor)
            }
        }
        let started = ContinuousClock.now
        let incidents: [CallIncident]
        do throws(HarnessError) {
            incidents = try CallIncident.during { run(call) }
        } catch {
            return failure = error
        }
        let results = arguments.filter { $0.argument.isResult && $0.isPresent }
        let share = started.secondsToNow / Double(max(results.count, 1))
        for result in results {
            let argument = result.argument
            roundings = max(roundings, argument.roundings)
            guard let tensor = tensors[UnsafePointer(result.view.base)], tensor.isResult else { continue }
            let earlier = pending[tensor.path]?.roundings ?? 1
            known.insert(tensor.path)
            asForced.remove(tensor.path)
            pending[tensor.path] = Write(
                tensor: tensor, kernel: K.name, coverage: argument.coverage,
                roundings: force == nil ? roundings : max(argument.roundings, earlier), order: calls,
                seconds: share,
                findings: incidents.map { [$0.argument, $0.note].compactMap(\.self).joined(separator: ": ") })
        }
        calls += 1
    }

    /// A kernel call cannot throw: the first error is kept, and nothing more is compared after it.
    private func attempt(_ body: () throws(FixtureError) -> Void) {
        guard error == nil, failure == nil else { return }
        do { try body() } catch { self.error = error }
    }
}
