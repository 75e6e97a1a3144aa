import Foundation
import Platform

/// One of llm.c's files: a header of 256 words, of which the first says what kind of file it is, then the content.
package struct LLMCFile: Sendable {
    /// The bytes of the header.
    package static let headerBytes = 1024

    /// The bytes of the file.
    package var count: Int { file.count }
    private let file: InputFile
    private let start: Data

    /// Opens the file at `path`, whose header must begin with `magic`.
    ///
    /// - Throws: ``ModelFormatError`` if it cannot be read, or is no `kind` of llm.c's.
    package init(_ path: String, magic: Int32, kind: String, remedy: String? = nil) throws(ModelFormatError) {
        do {
            file = try InputFile(path)
            start = try file.data(0..<min(Self.headerBytes, file.count))
        } catch {
            throw ModelFormatError(error)
        }
        guard start.count == Self.headerBytes, word(0) == magic else {
            throw ModelFormatError(
                path, "it is not a \(kind) of llm.c (magic \(magic))" + (remedy.map { "; \($0)" } ?? ""))
        }
    }

    /// The 32-bit word of the header at `index`.
    package func word(_ index: Int) -> Int32 {
        start.withUnsafeBytes { Int32(littleEndian: $0.loadUnaligned(fromByteOffset: 4 * index, as: Int32.self)) }
    }

    /// Reads the bytes from `offset` on that fill `buffer`.
    package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(ModelFormatError) {
        do { try file.read(at: offset, into: buffer) } catch { throw ModelFormatError(error) }
    }

    /// A header that begins so.
    package static func header(_ words: [Int32]) -> Data {
        var data = Data(count: headerBytes)
        for (index, word) in words.enumerated() {
            withUnsafeBytes(of: word.littleEndian) { data.replaceSubrange(4 * index..<4 * index + 4, with: $0) }
        }
        return data
    }
}
