import Foundation
import GPT2
import Kernels
import Platform
import Tensors

/// llm.c's `gpt2_*.bin`: a header of 256 words, then the parameters, each kind for all blocks together; version 3 in
/// float32, version 5 in bfloat16, both with the vocabulary padded.
///
/// Source: llm.c `train_gpt2.py` `write_model`, `train_gpt2.c` `gpt2_build_from_checkpoint`.
struct LLMCModelFile {
    /// How the numbers are stored.
    enum Precision: Int32, CaseIterable {
        case float32 = 3
        case bfloat16 = 5

        var stored: StoredFloats { self == .float32 ? .float32 : .bfloat16 }
        var bytes: Int { stored.bytes }
    }

    static let magic: Int32 = 20_240_326

    let path: String
    let configuration: Configuration
    let precision: Precision
    private let file: LLMCFile

    /// Opens the file at `path`.
    init(readingFrom path: String) throws(ModelFormatError) {
        let file = try LLMCFile(path, magic: Self.magic, kind: "model")
        guard let precision = Precision(rawValue: file.word(1)) else {
            throw ModelFormatError(
                path, "its version is \(file.word(1)), and versions 3 and 5 are read here; write it anew with llm.c")
        }
        let word = { Int(file.word($0)) }
        self.path = path
        self.precision = precision
        self.file = file
        configuration = try Configuration(
            checking: path, blockSize: word(2), vocabularySize: word(3), paddedVocabularySize: word(7),
            layers: word(4), heads: word(5), channels: word(6))
        let expected = LLMCFile.headerBytes + precision.bytes * Self.order(configuration).reduce(0) { $0 + $1.count }
        guard file.count == expected else {
            throw ModelFormatError(
                path, "its header says \(expected) bytes, and it has \(file.count); it is truncated or damaged")
        }
    }

    /// Reads the parameters.
    func loadParameters(into parameters: borrowing Arena<Float>) throws(ModelFormatError) {
        var offset = LLMCFile.headerBytes
        for tensor in Self.order(configuration) {
            try precision.stored.read(into: parameters[tensor]) { bytes throws(ModelFormatError) in
                try file.read(at: offset, into: bytes)
            }
            offset += precision.bytes * tensor.count
        }
    }

    /// Writes a model.
    static func write(
        _ parameters: borrowing Arena<Float>, _ configuration: Configuration, _ precision: Precision, to path: String
    ) throws(FileWriteError) {
        let c = configuration
        let sizes = [
            c.blockSize, c.vocabularySize, c.layers, c.heads, c.channels, c.paddedVocabularySize,
        ].map { Int32($0) }
        try AtomicFile.stream(to: path) { write throws(FileWriteError) in
            try write(LLMCFile.header([magic, precision.rawValue] + sizes))
            for tensor in order(configuration) {
                try write(precision.stored.data(parameters[tensor]))
            }
        }
    }

    /// The parameters in the file's order.
    static func order(_ configuration: Configuration) -> [TensorSpecification] {
        let w = ParameterLayout(configuration)
        let kinds: [KeyPath<ParameterLayout.Block, TensorSpecification>] = [
            \.ln_1.weight, \.ln_1.bias, \.attn.c_attn.weight, \.attn.c_attn.bias, \.attn.c_proj.weight,
            \.attn.c_proj.bias, \.ln_2.weight, \.ln_2.bias, \.mlp.c_fc.weight, \.mlp.c_fc.bias, \.mlp.c_proj.weight,
            \.mlp.c_proj.bias,
        ]
        return [w.wte, w.wpe] + kinds.flatMap { kind in w.h.map { $0[keyPath: kind] } } + [w.ln_f.weight, w.ln_f.bias]
    }
}
