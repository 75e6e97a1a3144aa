import Foundation
import ModelFormats
import Platform

/// A file of tokens as llm.c has them: a header of 256 words, then each token in 16 bits. It stays in the file, of which parts are read.
///
/// Source: llm.c `dev/data/data_common.py`, `llmc/dataloader.h`.
public struct TokenShard: Sendable {
    /// The number of tokens.
    public let count: Int
    private let file: LLMCFile

    private static let magic: Int32 = 20_240_520

    /// Opens the shard at `path`.
    ///
    /// - Throws: ``TrainingError`` if it is none, of another version, or not as long as it says.
    public init(readingFrom path: String) throws(TrainingError) {
        do {
            file = try LLMCFile(
                path, magic: Self.magic, kind: "token shard", remedy: "give a text with --text instead")
        } catch {
            throw TrainingError(error.description)
        }
        guard file.word(1) == 1 else {
            throw TrainingError(path, "its version is \(file.word(1)), and version 1 is read here; write it anew")
        }
        count = Int(file.word(2))
        let expected = LLMCFile.headerBytes + 2 * count
        guard count > 0, file.count == expected else {
            throw TrainingError(
                path, "it says \(count) tokens, which take \(expected) bytes, and has \(file.count); write it anew")
        }
    }

    /// The tokens of a range, handed to `body` in order.
    ///
    /// - Throws: ``TrainingError`` where the file has become shorter.
    func forEach(in range: Range<Int>, _ body: (Int32) -> Void) throws(TrainingError) {
        for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.slab) {
            var tokens = [UInt16](repeating: 0, count: min(Self.slab, range.upperBound - start))
            var failure: ModelFormatError?
            tokens.withUnsafeMutableBytes { bytes in
                do throws(ModelFormatError) {
                    try file.read(at: LLMCFile.headerBytes + 2 * start, into: bytes)
                } catch { failure = error }
            }
            if let failure { throw TrainingError(failure.description) }
            for token in tokens { body(Int32(UInt16(littleEndian: token))) }
        }
    }

    /// The tokens read at a time.
    private static let slab = 1 << 20

    /// Writes a shard.
    ///
    /// - Throws: ``TrainingError`` if a token does not fit 16 bits; ``FileWriteError``.
    public static func write(_ tokens: [Int32], to path: String) throws {
        if let large = tokens.first(where: { $0 < 0 || $0 > UInt16.max }) {
            throw TrainingError(path, "token \(large) does not fit the 16 bits of a shard; use a smaller vocabulary")
        }
        var data = LLMCFile.header([magic, 1, Int32(tokens.count)])
        tokens.map { UInt16($0).littleEndian }.withUnsafeBytes { data.append(contentsOf: $0) }
        try AtomicFile.write(data, to: path)
    }
}
