import GPT2
import HDF5
import Kernels
import ModelFormats
import Tensors
import Tokenizer

/// A run as it is saved: an HDF5 file with parameters, moments, progress and vocabulary.
///
///     /                     plumbline_checkpoint = 1, the model's sizes, step, position, settings and source in JSON
///     parameters, m, v      a dataset for each parameter, under its PyTorch name
///     history               losses, gradient norms, validation steps and losses
///     tokenizer             the bytes of all tokens, and their lengths; -1 for a special token
///     manifest              every dataset with its type and shape
///
/// All data carries checksums. The same run gives the same bytes.
public struct Checkpoint: ~Copyable {
    /// All but the tensors.
    public struct Header: Sendable {
        /// The model's sizes.
        public var configuration: Configuration
        /// The vocabulary of its tokens.
        public var tokenizer: Tokenizer
        /// How far the run has come.
        public var progress: TrainingProgress
        /// The number that tells its training tokens from others.
        public var dataDigest: UInt64
    }

    /// The file's path.
    public let path: String
    /// All but the tensors.
    public let header: Header
    private let file: File

    /// Opens the checkpoint at `path`, and checks that nothing is missing.
    public init(readingFrom path: String) throws(TrainingError) {
        let file = try Self.open(path)
        do {
            header = try Header(reading: file)
        } catch {
            throw Self.unusable(error)
        }
        self.path = path
        self.file = file
    }

    /// Whether the file at `path` says that it is a checkpoint, of any version.
    public static func isOne(_ path: String) -> Bool {
        guard let file = try? File(reading: path) else { return false }
        return file.hasAttribute(versionAttribute, of: "/")
    }

    private static func open(_ path: String) throws(TrainingError) -> File {
        do { return try File(reading: path) } catch { throw unusable(error) }
    }

    /// Reads the parameters.
    public func loadParameters(into parameters: borrowing Arena<Float>) throws(TrainingError) {
        for tensor in ParameterLayout(header.configuration).tensors.tensors {
            try load("parameters", tensor, into: parameters[tensor])
        }
    }

    /// Reads parameters and moments.
    public func restore(_ model: inout GPT2<Float>) throws(TrainingError) {
        try loadParameters(into: model.parameters)
        if header.progress.step == 0 { return }
        do {
            try model.restoreMoments { tensor, m, v in
                try load("m", tensor, into: m)
                try load("v", tensor, into: v)
            }
        } catch {
            throw Self.unusable(error)
        }
    }

    func load(_ group: String, _ tensor: TensorSpecification, into view: MutableView<Float>)
        throws(TrainingError)
    {
        do {
            let dataset = try file.dataset("\(group)/\(tensor.name)")
            guard dataset.shape == tensor.shape else {
                throw TrainingError(path, "\(group)/\(tensor.name): its shape is \(dataset.shape), not \(tensor.shape)")
            }
            try dataset.read(into: view.buffer, elements: 0..<view.count)
        } catch {
            throw Self.unusable(error)
        }
    }

    private static func unusable(_ error: any Error) -> TrainingError {
        switch error {
        case let error as TrainingError: error
        case let error as ModelFormatError: TrainingError(error.description)
        default: TrainingError("\(error); give another checkpoint")
        }
    }
}
