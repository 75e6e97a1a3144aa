import Foundation
import GPT2
import HDF5
import Kernels
import Platform
import Tensors
import Tokenizer

/// A stored model in one of the formats that are known, told by what it holds.
public enum ModelFile {
    /// A checkpoint of `train`, by its path.
    case plumbline(String)
    /// llm.c's `gpt2_*.bin`.
    case llmc(String)
    /// A folder of Hugging Face's.
    case huggingFace(String)

    /// Looks at what is at `path`: a file, or a folder or `model.safetensors` of Hugging Face's.
    ///
    /// - Throws: ``TrainingError`` if there is nothing, or nothing known.
    public init(_ path: String) throws(TrainingError) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw TrainingError(path, "there is no such file or folder")
        }
        if isFolder.boolValue {
            self = .huggingFace(path)
        } else if URL(fileURLWithPath: path).lastPathComponent == "model.safetensors" {
            self = .huggingFace(URL(fileURLWithPath: path).deletingLastPathComponent().relativePath)
        } else {
            let start = Data((try? FileHandle(forReadingFrom: URL(fileURLWithPath: path)).read(upToCount: 8)) ?? Data())
            switch start {
            case Data([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]): self = .plumbline(path)
            case _ where start.count == 8 && start.word(0) == LLMCModelFile.magic: self = .llmc(path)
            default:
                throw TrainingError(
                    path,
                    "it is no model: neither a checkpoint of `train`, nor llm.c's (magic "
                        + "\(LLMCModelFile.magic)), nor a folder of Hugging Face's")
            }
        }
    }

    /// The model's sizes, and its vocabulary where the file has one.
    ///
    /// - Throws: ``TrainingError`` or ``TokenizerError``, if it is damaged or not a GPT-2.
    public func describe() throws -> (configuration: Configuration, tokenizer: Tokenizer?) {
        switch self {
        case .plumbline(let path):
            let header = try Checkpoint(readingFrom: path).header
            return (header.configuration, header.tokenizer)
        case .llmc(let path):
            let configuration = try LLMCModelFile(readingFrom: path).configuration
            return (configuration, Self.byteTokenizer(configuration))
        case .huggingFace(let folder):
            let configuration = try HuggingFaceModel(readingFrom: folder).configuration
            let vocabulary = try? Tokenizer.vocabularyFile(folder)
            return (
                configuration,
                try vocabulary.map(Tokenizer.init(readingFrom:)) ?? Self.byteTokenizer(configuration)
            )
        }
    }

    /// Reads the parameters into an arena of the layout of the model's sizes.
    ///
    /// - Throws: ``TrainingError``, if the file is damaged.
    public func loadParameters(into parameters: borrowing Arena<Float>) throws(TrainingError) {
        switch self {
        case .plumbline(let path): try Checkpoint(readingFrom: path).loadParameters(into: parameters)
        case .llmc(let path): try LLMCModelFile(readingFrom: path).loadParameters(into: parameters)
        case .huggingFace(let folder): try HuggingFaceModel(readingFrom: folder).loadParameters(into: parameters)
        }
    }

    /// The built-in vocabulary, where the model's has its size.
    private static func byteTokenizer(_ configuration: Configuration) -> Tokenizer? {
        configuration.vocabularySize == Tokenizer.bytes.count ? .bytes : nil
    }

    // MARK: - Writing

    /// Writes a model for others to read: llm.c's format where `path` ends in `.bin` (in bfloat16 for `.bf16.bin`), a
    /// folder of Hugging Face's otherwise.
    public static func export(
        _ parameters: borrowing Arena<Float>, _ configuration: Configuration, endOfText: Int32?, to path: String
    ) throws(FileWriteError) {
        if path.hasSuffix(".bin") {
            try LLMCModelFile.write(
                parameters, configuration, path.hasSuffix(".bf16.bin") ? .bfloat16 : .float32, to: path)
        } else {
            try HuggingFaceModel.write(parameters, configuration, endOfText: endOfText, to: path)
        }
    }
}
