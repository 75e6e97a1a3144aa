import Accuracy
import GPT2
import Kernels
import Platform

/// A model that trains on made-up tokens, with a stop-watch for the step and for every kernel in it.
final class TimedModel {
    private var model: GPT2<Float>
    private let timer = KernelTimer()
    private var steps = 0

    /// The kernels that a step calls.
    static var kernels: [any Kernel<Float>.Type] {
        CallRecorder.calls(
            of: Configuration(
                blockSize: 1, vocabularySize: 1, paddedVocabularySize: 1, layers: 1, heads: 1, channels: 1),
            batch: 1, sequence: 1, memory: .lean
        ).map(\.kernel)
    }

    init(_ task: StepTask, _ kernels: KernelSet<Float>) {
        var kernels = kernels
        kernels.workers = Workers(count: task.threads)
        kernels.interceptor = timer
        model = GPT2(
            configuration: Configuration(
                blockSize: task.blockSize, vocabularySize: task.vocabulary, paddedVocabularySize: task.paddedVocabulary,
                layers: task.layers, heads: task.heads, channels: task.channels),
            batch: task.batch, sequence: task.sequence, kernels: kernels, memory: .lean)
        model.initialize(seed: 1)
        do {
            try model.load(inputs: task.tokens.dropLast(), targets: task.tokens.dropFirst())
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// Makes a step and says how long its parts took.
    func step() -> WorkerAnswer {
        timer.seconds = [:]
        steps += 1
        let forward = seconds { model.forward() }
        let backward = seconds { model.backward(overwrites: true) }
        let update = seconds { model.update(AdamW.Hyperparameters(), step: steps) }
        return .stepped(forward: forward, backward: backward, update: update, kernels: timer.seconds)
    }
}

/// Adds up the time of each kernel's calls.
private final class KernelTimer: KernelInterceptor {
    typealias Scalar = Float

    var seconds: [String: Double] = [:]

    func intercept<K: Kernel>(_ call: K, run: (K) -> Void) where K.Scalar == Float {
        let elapsed = Platform.seconds { run(call) }
        seconds[K.name.description, default: 0] += elapsed
    }
}
