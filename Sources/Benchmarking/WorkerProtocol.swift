import Accuracy
import Foundation

/// What the conductor and its workers say to each other: one JSON object a line, a request and then its answer.
///
/// A worker is a process that lives as long as the run: this package's own binary (`bench worker`), that of another
/// commit, or a script in another language. It says hello first. The version counts everything that both sides must
/// agree on: the messages, and the numbers that ``Draw`` fills arguments with.
public enum WorkerProtocol {
    /// The version.
    public static let version = 1
}

/// A training step to time: the model's sizes and the batch.
public struct StepTask: Codable, Sendable, Hashable {
    /// The sizes of the model, as in `Configuration`.
    public var layers, heads, channels, vocabulary, paddedVocabulary, blockSize: Int
    /// B and T.
    public var batch, sequence: Int
    /// The threads.
    public var threads: Int
}

/// What the conductor asks.
enum WorkerRequest: Codable {
    /// Make the call ready, and forget the one before.
    case prepare(task: KernelTask)
    /// Make `calls` calls and say how long one took. `slowdown` makes each last longer by that fraction, for the self-test.
    case time(calls: Int, slowdown: Double)
    /// Make one call from the start and write its results, float32 in the order of the contract, to the file.
    case write(path: String)
    /// Make a model ready.
    case prepareStep(task: StepTask)
    /// Make one training step and say how long its parts took.
    case step
    /// Say how much memory was in use at most.
    case memory
}

/// What a worker answers.
enum WorkerAnswer: Codable {
    /// The first line: the protocol spoken, and who speaks.
    case hello(version: Int, name: String)
    /// It is ready, with the implementation of that name, and perhaps something to say of it.
    case ready(implementation: String, note: String?)
    /// It is done.
    case done
    /// The worker has no such kernel or model, and says why.
    case unsupported(reason: String)
    /// Seconds of one call.
    case timed(seconds: Double)
    /// Seconds of the parts of a step; of each kernel within it, where the worker can tell.
    case stepped(forward: Double, backward: Double, update: Double, kernels: [String: Double])
    /// The most memory used, in bytes.
    case memory(bytes: Int)
}
