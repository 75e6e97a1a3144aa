import Foundation
import ModelFormats
import Platform

/// A file of tokens as llm.c has them: a header of 256 words, then each token in 16 bits. Mapped into memory.
///
/// Source: llm.c `dev/data/data_common.py`, `llmc/dataloader.h`.
public struct TokenShard: Sendable {
    /// The number of tokens.
    public let count: Int
    private let data: Data

    private static let magic: Int32 = 20_240_520

    /// Maps the shard at `path`.
    ///
    /// - Throws: ``TrainingError`` if it is none, of another version, or not as long as it says.
    public init(readingFrom path: String) throws(TrainingError) {
        do {
            data = try Data(
                llmcFile: path, magic: Self.magic, kind: "token shard", remedy: "give a text with --text instead")
        } catch {
            throw TrainingError(error.description)
        }
        guard data.word(1) == 1 else {
            throw TrainingError(path, "its version is \(data.word(1)), and version 1 is read here; write it anew")
        }
        count = Int(data.word(2))
        let expected = Data.headerBytes + 2 * count
        guard count > 0, data.count == expected else {
            throw TrainingError(
                path, "it says \(count) tokens, which take \(expected) bytes, and has \(data.count); write it anew")
        }
    }

    /// The tokens of a range, handed to `body` in order.
    func forEach(in range: Range<Int>, _ body: (Int32) -> Void) {
        data.withUnsafeBytes { bytes in
            for index in range {
                body(
                    Int32(
                        UInt16(
                            littleEndian: bytes.loadUnaligned(
                                fromByteOffset: Data.headerBytes + 2 * index, as: UInt16.self))))
            }
        }
    }

    /// Writes a shard.
    ///
    /// - Throws: ``TrainingError`` if a token does not fit 16 bits; ``FileWriteError``.
    public static func write(_ tokens: [Int32], to path: String) throws {
        if let large = tokens.first(where: { $0 < 0 || $0 > UInt16.max }) {
            throw TrainingError(path, "token \(large) does not fit the 16 bits of a shard; use a smaller vocabulary")
        }
        var data = Data.header([magic, 1, Int32(tokens.count)])
        tokens.map { UInt16($0).littleEndian }.withUnsafeBytes { data.append(contentsOf: $0) }
        try AtomicFile.write(data, to: path)
    }
}
