import Foundation
import GPT2
import Tensors

/// llm.c's `gpt2_*_debug_state.bin`: a header of 256 words, the tokens and targets of one batch, and what PyTorch computed
/// of them in float32: the logits (B, T, V), the mean loss, and the gradient of every parameter in the order of the
/// model's file, with the vocabulary padded.
///
/// Source: llm.c `train_gpt2.py` `write_state`, `test_gpt2.c`.
public struct LLMCStateFile {
    private static let magic: Int32 = 20_240_327
    private static let version: Int32 = 2

    /// B and T.
    public let batch, sequence: Int
    private let configuration: Configuration
    private let data: Data

    /// Maps the file at `path`, the state of a model of that configuration.
    ///
    /// - Throws: ``ModelFormatError`` if it is another file, damaged, or of a model of other sizes.
    public init(readingFrom path: String, of configuration: Configuration) throws(ModelFormatError) {
        let data = try Data(
            llmcFile: path, magic: Self.magic, kind: "debug state", remedy: "give the one that train_gpt2.py writes")
        guard data.word(1) == Self.version else {
            throw ModelFormatError(
                path,
                "its version is \(data.word(1)), and version \(Self.version) is read here; write it anew with "
                    + "train_gpt2.py of llm.c")
        }
        (batch, sequence) = (Int(data.word(2)), Int(data.word(3)))
        guard (1...1 << 20).contains(batch), (1...configuration.blockSize).contains(sequence) else {
            throw ModelFormatError(
                path,
                "its B is \(batch) and its T \(sequence), and the model takes up to \(configuration.blockSize) "
                    + "tokens; give the state of this model")
        }
        self.configuration = configuration
        self.data = data
        let expected = gradients + 4 * LLMCModelFile.order(configuration).reduce(0) { $0 + $1.count }
        guard data.count == expected else {
            throw ModelFormatError(
                path,
                "with the model's sizes it must have \(expected) bytes, and it has \(data.count): it is truncated, or "
                    + "of another model; give the state that was written with this one")
        }
    }

    /// The tokens, and what follows each, both (B, T).
    public var inputs: [Int32] { words(Data.headerBytes, batch * sequence) }
    public var targets: [Int32] { words(Data.headerBytes + 4 * batch * sequence, batch * sequence) }

    /// The scores of the next token, (B, T, V).
    public var logits: [Float] { words(logitsStart, batch * sequence * configuration.vocabularySize) }

    /// The mean loss.
    public var loss: Float { words(gradients - 4, 1)[0] }

    /// The gradient of each parameter, in the order of the file; read when it is looked at.
    public var gradient: (TensorSpecification) -> [Float] {
        var starts: [String: Int] = [:]
        var start = gradients
        for tensor in LLMCModelFile.order(configuration) {
            starts[tensor.name] = start
            start += 4 * tensor.count
        }
        return { [starts] tensor in words(starts[tensor.name] ?? 0, tensor.count) }
    }

    private var logitsStart: Int { Data.headerBytes + 8 * batch * sequence }
    /// Where the gradients start, behind the loss.
    private var gradients: Int { logitsStart + 4 * batch * sequence * configuration.vocabularySize + 4 }

    /// Numbers of four bytes each.
    private func words<Number: BitwiseCopyable>(_ start: Int, _ count: Int) -> [Number] {
        data.withUnsafeBytes { bytes in
            [Number](unsafeUninitializedCapacity: count) { buffer, initialized in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + 4 * count]))
                initialized = count
            }
        }
    }
}
