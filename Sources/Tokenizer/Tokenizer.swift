/// Turns bytes into tokens and back, by byte-pair encoding.
///
/// Every sequence of bytes has tokens, and they spell it again: `decode(encode(bytes)) == bytes`. With GPT-2's
/// vocabulary the tokens are tiktoken's.
public struct Tokenizer: Sendable {
    /// What the vocabulary is called: `bytes`, or the file that it comes from.
    public let name: String
    /// The token between two documents.
    public let endOfText: Int32
    let table: TokenTable
    /// The token of each byte.
    private let byteTokens: [Int32]
    /// Whether there are tokens of more than one byte.
    private let hasMerges: Bool

    /// The built-in vocabulary: the 256 bytes, each its own token, and the end of a text, 256.
    public static let bytes: Tokenizer = {
        do throws(TokenizerError) {
            return try Tokenizer(name: "bytes", tokens: (0..<256).map { [UInt8($0)] } + [nil], endOfText: 256)
        } catch {
            preconditionFailure("the bytes are a vocabulary")
        }
    }()

    /// A vocabulary of `tokens` in the order of their numbers, in which pairs are merged too; nil for a special token.
    ///
    /// - Throws: ``TokenizerError`` unless each byte is a token, tokens differ, the end of a text is among them, and each
    ///   token that lies in one piece of a text comes of merging its bytes: where one on the way is missing, texts that
    ///   it is part of would get other tokens.
    public init(name: String, tokens: [[UInt8]?], endOfText: Int32) throws(TokenizerError) {
        do throws(TokenTable.Problem) {
            table = try TokenTable(tokens)
        } catch {
            throw TokenizerError(name, error.description)
        }
        guard tokens.count < 1 << 24, endOfText >= 0, endOfText < tokens.count else {
            throw TokenizerError(name, "the end of a text is token \(endOfText) of \(tokens.count)")
        }
        let table = table
        byteTokens = (0..<256).map { byte in
            withUnsafePointer(to: UInt8(byte)) {
                table.token(UnsafeBufferPointer(start: $0, count: 1), 0..<1) ?? -1
            }
        }
        if let missing = byteTokens.firstIndex(of: -1) {
            throw TokenizerError(name, "byte \(missing) is no token, so not every text could be encoded")
        }
        var merge = BytePairMerge(table)
        let unreached = tokens.indices.filter { token in
            guard let bytes = tokens[token], bytes.count > 1 else { return false }
            return bytes.withUnsafeBufferPointer { merge.tokens(of: $0) } != [Int32(token)]
                && PieceScanner.isOnePiece(bytes)
        }
        if let first = unreached.first {
            let spelling = String(decoding: tokens[first] ?? [], as: UTF8.self).debugDescription
            throw TokenizerError(
                name,
                "\(unreached.count) of its \(tokens.count) tokens come of no merging of others, the first of them token "
                    + "\(first), \(spelling): tokens are missing or out of order; get it anew")
        }
        hasMerges = tokens.contains { ($0?.count ?? 0) > 1 }
        self.name = name
        self.endOfText = endOfText
    }

    /// V, the number of tokens.
    public var count: Int { table.count }

    /// The bytes of each token; nil for a special one.
    public var tokens: [[UInt8]?] {
        (0..<Int32(count)).map { table.length(of: $0) == 0 ? nil : Array(table.spelling(of: $0)) }
    }

    // MARK: - Encoding

    /// The tokens of a text in UTF-8. The name of a special token in it is text like any other.
    public func encode(_ text: String) -> [Int32] {
        var text = text
        return text.withUTF8 { encode($0) }
    }

    /// The tokens of bytes.
    ///
    /// From the first byte on that is not UTF-8 there are no words to cut at: with the piece before it, all that is
    /// left is one piece, as in tiktoken's `_encode_bytes`.
    public func encode(_ bytes: some Collection<UInt8>) -> [Int32] {
        bytes.withContiguousStorageIfAvailable(encode) ?? Array(bytes).withUnsafeBufferPointer(encode)
    }

    private func encode(_ text: UnsafeBufferPointer<UInt8>) -> [Int32] {
        guard hasMerges else { return text.map { byteTokens[Int($0)] } }
        let end = validPrefix(of: text)
        let scanner = PieceScanner(text: text, end: end)
        var merge = BytePairMerge(table)
        var tokens: [Int32] = []
        tokens.reserveCapacity(text.count / 3)
        func append(_ piece: Range<Int>) {
            if let token = table.token(text, piece) {
                tokens.append(token)
            } else {
                merge.append(text, piece, to: &tokens)
            }
        }
        var position = 0
        // Where the last piece and its tokens begin.
        var (lastPiece, lastTokens) = (0, 0)
        while position < end {
            (lastPiece, lastTokens) = (position, tokens.count)
            position = scanner.piece(at: position)
            append(lastPiece..<position)
        }
        if end < text.count {
            tokens.removeLast(tokens.count - lastTokens)
            append(lastPiece..<text.count)
        }
        return tokens
    }

    // MARK: - Decoding

    /// The bytes that the tokens spell; special tokens, and those outside the vocabulary, spell nothing.
    public func decode(_ tokens: some Sequence<Int32>) -> [UInt8] {
        var bytes: [UInt8] = []
        for token in tokens where token >= 0 && token < count { bytes += table.spelling(of: token) }
        return bytes
    }
}
