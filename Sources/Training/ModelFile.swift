import GPT2
import Kernels
import ModelFormats
import Tokenizer

/// A stored model in one of the formats that are known, told by what it holds.
public enum ModelFile {
    /// A checkpoint of `train`, by its path.
    case checkpoint(String)
    /// A model in another program's format.
    case stored(StoredModel)

    /// Looks at what is at `path`: a file, or a folder or `model.safetensors` of Hugging Face's.
    ///
    /// - Throws: ``ModelFormatError`` if there is nothing, or nothing known.
    public init(_ path: String) throws(ModelFormatError) {
        self = StoredModel.isHDF5(path) ? .checkpoint(path) : .stored(try StoredModel(path))
    }

    /// The model's sizes, and its vocabulary where the file has one.
    ///
    /// - Throws: ``TrainingError``, ``ModelFormatError`` or ``TokenizerError``, if it is damaged or not a GPT-2.
    public func describe() throws -> (configuration: Configuration, tokenizer: Tokenizer?) {
        switch self {
        case .checkpoint(let path):
            let header = try Checkpoint(readingFrom: path).header
            return (header.configuration, header.tokenizer)
        case .stored(let model):
            let configuration = try model.configuration()
            if case .huggingFace(let folder) = model, let vocabulary = try? Tokenizer.vocabularyFile(folder) {
                return (configuration, try Tokenizer(readingFrom: vocabulary))
            }
            // The built-in vocabulary, where the model's has its size.
            return (configuration, configuration.vocabularySize == Tokenizer.bytes.count ? .bytes : nil)
        }
    }

    /// Reads the parameters into an arena of the layout of the model's sizes.
    ///
    /// - Throws: ``TrainingError`` or ``ModelFormatError``, if the file is damaged.
    public func loadParameters(into parameters: borrowing Arena<Float>) throws {
        switch self {
        case .checkpoint(let path): try Checkpoint(readingFrom: path).loadParameters(into: parameters)
        case .stored(let model): try model.loadParameters(into: parameters)
        }
    }
}
