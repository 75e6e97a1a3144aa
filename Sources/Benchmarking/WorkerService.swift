import Accuracy
import FastKernels
import Foundation
import KernelCatalog
import Kernels
import Platform

/// The worker's side: answers requests, one after the other.
public final class WorkerService {
    private let name, title: String
    /// The seconds that its threads are given to fall asleep after what was timed.
    private let settling: Double
    private let kernels: KernelSet<Float>
    private let catalog: KernelCatalog
    private var prepared: (any TimedCall)?
    private var model: TimedModel?

    /// A worker that times `kernels`, of the contracts of `catalog`, under `name`, and calls itself `title` in reports.
    public convenience init(
        name: String, title: String? = nil, kernels: KernelSet<Float>, catalog: KernelCatalog = .standard
    ) {
        self.init(name: name, title: title, kernels: kernels, catalog: catalog, settling: 0)
    }

    init(
        name: String, title: String? = nil, kernels: KernelSet<Float>, catalog: KernelCatalog = .standard,
        settling: Double
    ) {
        (self.name, self.title, self.kernels, self.catalog) = (name, title ?? name, kernels, catalog)
        self.settling = settling
    }

    /// Serves on standard input and output until the conductor has gone.
    ///
    /// What kernels print to standard output goes to standard error instead: it is no answer.
    public func run() throws {
        let (encoder, decoder) = (JSONEncoder(), JSONDecoder())
        let answers = FileHandle(fileDescriptor: dup(STDOUT_FILENO))
        dup2(STDERR_FILENO, STDOUT_FILENO)
        func say(_ answer: WorkerAnswer) throws {
            try answers.write(contentsOf: encoder.encode(answer) + Data("\n".utf8))
        }
        try say(hello)
        while let line = readLine() {
            try say(try answer(decoder.decode(WorkerRequest.self, from: Data(line.utf8))))
        }
    }

    /// What it says first.
    var hello: WorkerAnswer { .hello(version: WorkerProtocol.version, name: title) }

    /// The answer to a request.
    func answer(_ request: WorkerRequest) throws -> WorkerAnswer {
        switch request {
        case .prepare(let task):
            // The memory of the call before is given back first.
            (prepared, model) = (nil, nil)
            Affinity.set(threads: task.threads)
            do {
                let (call, implementation) = try call(task)
                prepared = call
                return .ready(implementation: implementation, note: nil)
            } catch {
                return .unsupported(reason: error.description)
            }
        case .time(let calls, let slowdown):
            guard let prepared else { throw TaskError(description: "no call was prepared") }
            let seconds = prepared.time(calls: calls, slowdown: slowdown)
            if settling > 0 { Thread.sleep(forTimeInterval: settling) }
            return .timed(seconds: seconds)
        case .write(let path):
            guard let prepared else { throw TaskError(description: "no call was prepared") }
            try prepared.writeResults(to: path)
            return .done
        case .prepareStep(let task):
            prepared = nil
            Affinity.set(threads: task.threads)
            guard let (all, note) = kernelsOfModel else {
                return .unsupported(reason: "it has not every kernel of a model")
            }
            model = TimedModel(task, all)
            return .ready(implementation: name, note: note)
        case .step:
            guard let times = model?.step() else { throw TaskError(description: "no model was prepared") }
            return times
        case .memory: return .memory(bytes: RunFacts.peakMemory())
        }
    }

    /// The kernels for a whole model, and what to say of them; nil if some are missing. llm.c has no function for the
    /// update, which is fast's then.
    private var kernelsOfModel: (kernels: KernelSet<Float>, note: String?)? {
        var kernels = kernels
        var note: String?
        if kernels.implementation(of: AdamW.Update<Float>.self) == nil {
            kernels.use(Implementation("fast", FastKernels.adamwUpdate))
            note = "\(name) with the update of fast"
        }
        return TimedModel.kernels.allSatisfy { kernels.implementation(of: $0) != nil } ? (kernels, note) : nil
    }

    private func call(_ task: KernelTask) throws(TaskError) -> (any TimedCall, implementation: String) {
        guard let kernel = catalog.kernels.first(where: { $0.name == task.kernel }) else {
            throw TaskError(description: "there is no kernel \(task.kernel)")
        }
        guard let implementation = kernels.implementation(of: kernel) else {
            // Of who has little, the same is said of all that it has not.
            let operations = Set(kernels.kernels.map { $0.name.operation }).sorted()
            let has = operations.count <= 3 ? "\(operations.joined(separator: ", ")) alone" : "no \(task.kernel)"
            throw TaskError(description: "\(name) has \(has)")
        }
        var kernels = kernels
        kernels.workers = Workers(count: task.threads)
        return (try Self.timedCall(kernel, task, kernels), implementation)
    }

    private static func timedCall<K: Kernel<Float>>(
        _ kernel: K.Type, _ task: KernelTask, _ kernels: KernelSet<Float>
    ) throws(TaskError) -> any TimedCall {
        TimedKernelCall(prepared: try PreparedCall<K>(task), kernels: kernels)
    }
}

/// A call that can be made and timed, whatever its kernel.
private protocol TimedCall {
    func time(calls: Int, slowdown: Double) -> Double
    func writeResults(to path: String) throws
}

private struct TimedKernelCall<K: Kernel<Float>>: TimedCall {
    let prepared: PreparedCall<K>
    let kernels: KernelSet<Float>

    func time(calls: Int, slowdown: Double) -> Double {
        let call = prepared.call
        // Another process ran meanwhile: a short call is made once untimed, so that caches and threads are awake.
        if calls > 1 { kernels.run(call) }
        let elapsed = seconds { for _ in 0..<calls { kernels.run(call) } }
        guard slowdown > 0 else { return elapsed / Double(calls) }
        // The very work that a slower kernel would add: time on this core, in proportion to what the calls took.
        let extra = seconds {
            let start = ContinuousClock.now
            while start.duration(to: .now) < .seconds(slowdown * elapsed) {}
        }
        return (elapsed + extra) / Double(calls)
    }

    func writeResults(to path: String) throws {
        prepared.reset()
        kernels.run(prepared.call)
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.truncate(atOffset: 0)
        for result in prepared.call.results { try file.write(contentsOf: Data(buffer: result.view.buffer)) }
        try file.close()
    }
}
