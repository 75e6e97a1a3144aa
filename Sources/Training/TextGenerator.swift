import GPT2
import Kernels
import Tensors
import Tokenizer

/// Continues a text with a model.
public enum TextGenerator {
    /// Draws up to `count` tokens that follow `prompt`, and hands each to `emit`; ends early where the text ends, or
    /// `emit` returns false.
    ///
    /// The model sees as much of the text as its block size allows. When that is full, it goes on from the last half,
    /// computed anew, since every position has its own embedding.
    ///
    /// - Throws: `TokenError` if a token of the prompt lies outside the model's vocabulary.
    public static func run(
        _ decoder: inout Decoder<Float>, parameters: borrowing Arena<Float>, prompt: [Int32], endOfText: Int32?,
        count: Int, sampler: inout Sampler, emit: (Int32) throws -> Bool
    ) throws {
        let block = decoder.configuration.blockSize
        // A text begins after the end of another.
        var text = prompt.isEmpty ? [endOfText ?? 0] : prompt
        var new = Array(text.suffix(block))
        decoder.reset()
        for _ in 0..<count {
            if decoder.position + new.count > block {
                new = Array(text.suffix(max(block / 2, 1)))
                decoder.reset()
            }
            let logits = try decoder.append(new, parameters: parameters)
            let token = sampler.token(for: logits)
            if token == endOfText { return }
            text.append(token)
            new = [token]
            if try !emit(token) { return }
        }
    }
}

/// Makes text of bytes that arrive bit by bit, a character at a time.
public struct TextStream: Sendable {
    private var pending: [UInt8] = []

    /// A stream with no bytes yet.
    public init() {}

    /// Takes bytes, and returns what is complete; bytes that are no UTF-8 become U+FFFD.
    public mutating func take(_ bytes: some Sequence<UInt8>) -> String {
        pending += bytes
        var complete = pending.count
        // The last character may lack up to three bytes.
        for back in 1...4 where back <= pending.count {
            let byte = pending[pending.count - back]
            if byte & 0xc0 == 0x80 { continue }
            let length = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
            if length > back { complete = pending.count - back }
            break
        }
        defer { pending.removeFirst(complete) }
        return String(decoding: pending[..<complete], as: UTF8.self)
    }

    /// What is left, at the end.
    public mutating func finish() -> String {
        defer { pending = [] }
        return String(decoding: pending, as: UTF8.self)
    }
}
