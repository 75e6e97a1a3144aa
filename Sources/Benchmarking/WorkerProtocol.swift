import Foundation
import Kernels

/// What the conductor and its workers say to each other: one JSON object a line, a request and then its answer.
///
/// A worker is a process that lives as long as the run: this package's own binary (`bench worker`), that of another
/// commit, or a script in another language. It says hello first. It draws nothing and knows no contract: the task has the
/// sizes, and names the file that holds the elements of every argument.
public enum WorkerProtocol {
    /// The version of the messages and of the file.
    public static let version = 2
}

/// A kernel call to time: its name, its numbers, and where its arguments' elements are.
public struct KernelTask: Codable, Sendable, Hashable {
    /// An argument that the call has.
    public struct Argument: Codable, Sendable, Hashable {
        /// What its elements are, in the file and in memory: 4 bytes each, little-endian.
        public enum Element: String, Codable, Sendable {
            case float32, int32
        }

        /// The name in the contract.
        public var name: String
        /// The extents.
        public var shape: [Int]
        /// What its elements are.
        public var element: Element
        /// Whether the call writes it.
        public var isResult: Bool
        /// Where its elements start in the file, in bytes; nil for what is overwritten.
        public var offset: Int?
    }

    /// The kernel.
    public var kernel: KernelName
    /// The sizes, by name.
    public var sizes: [String: Int]
    /// The numbers that are no sizes, by name.
    public var hyperparameters: [String: Float]
    /// The arguments, in the order of the contract, without those that the call goes without.
    public var arguments: [Argument]
    /// The file that holds what inputs hold, and what those results hold before the call that it adds to.
    public var file: String
    /// The threads.
    public var threads: Int
    /// What a call costs at least, in operations: how long to wait for one follows from it.
    public var operations: Int
}

/// A training step to time: the model's sizes and the batch.
public struct StepTask: Codable, Sendable, Hashable {
    /// The sizes of the model, as in `Configuration`.
    public var layers, heads, channels, vocabulary, paddedVocabulary, blockSize: Int
    /// B and T.
    public var batch, sequence: Int
    /// The B·T + 1 tokens to train on: each is the target of the one before.
    public var tokens: [Int32]
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

/// A task that cannot be carried out.
package struct TaskError: Error, CustomStringConvertible {
    package let description: String
}
