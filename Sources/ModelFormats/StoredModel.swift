import Foundation
import GPT2
import Kernels
import Platform

/// A model in another program's format, told by what it holds.
public enum StoredModel: Sendable {
    /// llm.c's `gpt2_*.bin`.
    case llmc(String)
    /// A folder of Hugging Face's.
    case huggingFace(String)

    /// Looks at what is at `path`: a file, or a folder or `model.safetensors` of Hugging Face's.
    ///
    /// - Throws: ``ModelFormatError`` if there is nothing, or nothing known.
    public init(_ path: String) throws(ModelFormatError) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw ModelFormatError(path, "there is no such file or folder")
        }
        if isFolder.boolValue {
            self = .huggingFace(path)
        } else if URL(fileURLWithPath: path).lastPathComponent == "model.safetensors" {
            self = .huggingFace(URL(fileURLWithPath: path).deletingLastPathComponent().relativePath)
        } else if Self.isHDF5(path) {
            throw ModelFormatError(
                path,
                "it is an HDF5 file, such as a checkpoint of `train`, and a model in llm.c's or Hugging Face's format is "
                    + "read here; write one with `train --export`")
        } else {
            let start = Self.start(of: path)
            guard start.count == 8, start.word(0) == LLMCModelFile.magic else {
                throw ModelFormatError(
                    path,
                    "it is no model: neither a checkpoint of `train`, nor llm.c's (magic "
                        + "\(LLMCModelFile.magic)), nor a folder of Hugging Face's")
            }
            self = .llmc(path)
        }
    }

    /// The file that holds the parameters.
    public var parameterFile: String {
        switch self {
        case .llmc(let path): path
        case .huggingFace(let folder): HuggingFaceModel.weightsPath(folder)
        }
    }

    /// Whether the file at `path` begins as HDF5 does: `train` saves its runs so.
    public static func isHDF5(_ path: String) -> Bool {
        start(of: path) == Data([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a])
    }

    /// The first eight bytes; fewer where there are no more.
    private static func start(of path: String) -> Data {
        (try? FileHandle(forReadingFrom: URL(fileURLWithPath: path)).read(upToCount: 8)) ?? Data()
    }

    /// The model's sizes.
    ///
    /// - Throws: ``ModelFormatError``, if it is damaged or not a GPT-2.
    public func configuration() throws(ModelFormatError) -> Configuration {
        switch self {
        case .llmc(let path): try LLMCModelFile(readingFrom: path).configuration
        case .huggingFace(let folder): try HuggingFaceModel(readingFrom: folder).configuration
        }
    }

    /// Reads the parameters into an arena of the layout of the model's sizes.
    ///
    /// - Throws: ``ModelFormatError``, if the file is damaged.
    public func loadParameters(into parameters: borrowing Arena<Float>) throws(ModelFormatError) {
        switch self {
        case .llmc(let path): try LLMCModelFile(readingFrom: path).loadParameters(into: parameters)
        case .huggingFace(let folder): try HuggingFaceModel(readingFrom: folder).loadParameters(into: parameters)
        }
    }

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
