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
    private let file: LLMCFile

    /// Opens the file at `path`, the state of a model of that configuration.
    ///
    /// - Throws: ``ModelFormatError`` if it is another file, damaged, or of a model of other sizes.
    public init(readingFrom path: String, of configuration: Configuration) throws(ModelFormatError) {
        let file = try LLMCFile(
            path, magic: Self.magic, kind: "debug state", remedy: "give the one that train_gpt2.py writes")
        guard file.word(1) == Self.version else {
            throw ModelFormatError(
                path,
                "its version is \(file.word(1)), and version \(Self.version) is read here; write it anew with "
                    + "train_gpt2.py of llm.c")
        }
        (batch, sequence) = (Int(file.word(2)), Int(file.word(3)))
        guard (1...1 << 20).contains(batch), (1...configuration.blockSize).contains(sequence) else {
            throw ModelFormatError(
                path,
                "its B is \(batch) and its T \(sequence), and the model takes up to \(configuration.blockSize) "
                    + "tokens; give the state of this model")
        }
        self.configuration = configuration
        self.file = file
        let expected = gradients + 4 * LLMCModelFile.order(configuration).reduce(0) { $0 + $1.count }
        guard file.count == expected else {
            throw ModelFormatError(
                path,
                "with the model's sizes it must have \(expected) bytes, and it has \(file.count): it is truncated, or "
                    + "of another model; give the state that was written with this one")
        }
    }

    /// The tokens, and what follows each, both (B, T).
    public func inputs() throws(ModelFormatError) -> [Int32] { try words(LLMCFile.headerBytes, batch * sequence) }
    public func targets() throws(ModelFormatError) -> [Int32] {
        try words(LLMCFile.headerBytes + 4 * batch * sequence, batch * sequence)
    }

    /// The scores of the next token, (B, T, V).
    public func logits() throws(ModelFormatError) -> [Float] {
        try words(logitsStart, batch * sequence * configuration.vocabularySize)
    }

    /// The mean loss.
    public func loss() throws(ModelFormatError) -> Float { try words(gradients - 4, 1)[0] }

    /// Reads the gradient of a parameter.
    public var gradient: (TensorSpecification) throws(ModelFormatError) -> [Float] {
        var starts: [String: Int] = [:]
        var start = gradients
        for tensor in LLMCModelFile.order(configuration) {
            starts[tensor.name] = start
            start += 4 * tensor.count
        }
        return { [starts] tensor throws(ModelFormatError) in try words(starts[tensor.name] ?? 0, tensor.count) }
    }

    private var logitsStart: Int { LLMCFile.headerBytes + 8 * batch * sequence }
    /// Where the gradients start, behind the loss.
    private var gradients: Int { logitsStart + 4 * batch * sequence * configuration.vocabularySize + 4 }

    /// Numbers of four bytes each.
    private func words<Number: BitwiseCopyable & ExpressibleByIntegerLiteral>(
        _ start: Int, _ count: Int
    ) throws(ModelFormatError) -> [Number] {
        var words = [Number](repeating: 0, count: count)
        var failure: ModelFormatError?
        words.withUnsafeMutableBytes { bytes in
            do throws(ModelFormatError) { try file.read(at: start, into: bytes) } catch { failure = error }
        }
        if let failure { throw failure }
        return words
    }
}
