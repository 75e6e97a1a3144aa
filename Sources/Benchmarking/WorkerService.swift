import Accuracy
import FastKernels
import Foundation
import KernelCatalog
import Kernels
import Platform

/// The worker's side: answers requests on standard input until it ends.
public struct WorkerService {
    private let name: String
    private let kernels: KernelSet<Float>

    /// A worker that times `kernels` under `name`.
    public init(name: String, kernels: KernelSet<Float>) {
        self.name = name
        self.kernels = kernels
    }

    /// Serves until the conductor closes the pipe.
    public func run() throws {
        let (encoder, decoder) = (JSONEncoder(), JSONDecoder())
        func say(_ answer: WorkerAnswer) throws {
            FileHandle.standardOutput.write(try encoder.encode(answer) + Data("\n".utf8))
        }
        try say(.hello(version: WorkerProtocol.version, name: name))
        var prepared: (any TimedCall)?
        var model: TimedModel?
        while let line = readLine() {
            switch try decoder.decode(WorkerRequest.self, from: Data(line.utf8)) {
            case .prepare(let task):
                // The memory of the call before is given back first.
                prepared = nil
                model = nil
                Affinity.set(threads: task.threads)
                do {
                    prepared = try call(task)
                    try say(.ready(implementation: implementation(of: task.kernel), note: nil))
                } catch let error as TaskError {
                    try say(.unsupported(reason: error.description))
                }
            case .time(let calls, let slowdown):
                guard let prepared else { throw TaskError(description: "no call was prepared") }
                try say(.timed(seconds: prepared.time(calls: calls, slowdown: slowdown)))
            case .write(let path):
                guard let prepared else { throw TaskError(description: "no call was prepared") }
                try prepared.writeResults(to: path)
                try say(.done)
            case .prepareStep(let task):
                prepared = nil
                Affinity.set(threads: task.threads)
                guard let (all, note) = kernelsOfModel else {
                    try say(.unsupported(reason: "it has not every kernel of a model"))
                    continue
                }
                model = TimedModel(task, all)
                try say(.ready(implementation: name, note: note))
            case .step:
                guard let times = model?.step() else { throw TaskError(description: "no model was prepared") }
                try say(times)
            case .memory:
                try say(.memory(bytes: RunFacts.peakMemory()))
            }
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
        return KernelCatalog.kernels.allSatisfy { kernels.canRun($0) } ? (kernels, note) : nil
    }

    private func implementation(of name: String) -> String {
        let kernel = kernels.kernels.first { $0.name.description == name }
        return kernel.flatMap { kernels.implementation(of: $0) } ?? self.name
    }

    private func call(_ task: KernelTask) throws(TaskError) -> any TimedCall {
        guard let kernel = KernelCatalog.kernels.first(where: { $0.name.description == task.kernel }) else {
            throw TaskError(description: "there is no kernel \(task.kernel)")
        }
        guard self.kernels.canRun(kernel) else {
            throw TaskError(description: "\(name) has no \(task.kernel)")
        }
        var kernels = kernels
        kernels.workers = Workers(count: task.threads)
        return try Self.timedCall(kernel, task, kernels)
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
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        for (_, view) in prepared.results {
            try file.write(contentsOf: Data(buffer: view.buffer))
        }
        try file.close()
    }
}

extension KernelSet {
    /// Whether the set implements the kernel, or all that it can be composed of.
    fileprivate func canRun(_ kernel: any Kernel<Scalar>.Type) -> Bool {
        switch implementation(of: kernel) {
        case nil: false
        case "composed":
            (KernelCatalog.reference() as [Implementation<Scalar>]).allSatisfy { implementation(of: $0.kernel) != nil }
        default: true
        }
    }
}
