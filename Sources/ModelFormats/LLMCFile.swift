import Foundation

/// llm.c's files: a header of 256 words, of which the first says what kind of file it is, then the content.
extension Data {
    /// The bytes of the header.
    package static let headerBytes = 1024

    /// Maps the file at `path`, whose header must begin with `magic`.
    ///
    /// - Throws: ``ModelFormatError`` if it cannot be read, or is no `kind` of llm.c's.
    package init(
        llmcFile path: String, magic: Int32, kind: String, remedy: String? = nil
    ) throws(ModelFormatError) {
        guard FileManager.default.fileExists(atPath: path) else { throw ModelFormatError(path, "there is no such file") }
        do {
            self = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
        } catch {
            throw ModelFormatError(path, "cannot be read (\(error.localizedDescription))")
        }
        guard count >= Self.headerBytes, word(0) == magic else {
            throw ModelFormatError(
                path, "it is not a \(kind) of llm.c (magic \(magic))" + (remedy.map { "; \($0)" } ?? ""))
        }
    }

    /// A header that begins so.
    package static func header(_ words: [Int32]) -> Data {
        var data = Data(count: headerBytes)
        for (index, word) in words.enumerated() {
            Swift.withUnsafeBytes(of: word.littleEndian) { data.replaceSubrange(4 * index..<4 * index + 4, with: $0) }
        }
        return data
    }

    /// The 32-bit word at `index`.
    package func word(_ index: Int) -> Int32 {
        withUnsafeBytes { Int32(littleEndian: $0.loadUnaligned(fromByteOffset: 4 * index, as: Int32.self)) }
    }
}
