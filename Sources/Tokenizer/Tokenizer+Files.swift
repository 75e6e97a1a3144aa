import Foundation

extension Tokenizer {
    /// Reads a vocabulary: GPT-2's `vocab.bpe` (with `encoder.json` beside it) or `merges.txt` (with `vocab.json`),
    /// Hugging Face's `tokenizer.json`, llm.c's `gpt2_tokenizer.bin`, or a folder that holds one of them.
    ///
    /// - Throws: ``TokenizerError`` where there is none, or it is not GPT-2's kind.
    public init(readingFrom path: String) throws(TokenizerError) {
        let file = try Self.vocabularyFile(path)
        switch URL(fileURLWithPath: file).lastPathComponent {
        case let name where name.hasSuffix(".bpe") || name.hasSuffix(".txt"): try self.init(merges: file)
        case let name where name.hasSuffix(".json"): try self.init(huggingFace: file)
        default: try self.init(llmc: file)
        }
    }

    /// The file of a vocabulary in the folder `path`, if there is one; `path` itself where it is a file.
    public static func vocabularyFile(_ path: String) throws(TokenizerError) -> String {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw TokenizerError(path, "there is no such file or folder")
        }
        guard isFolder.boolValue else {
            let name = URL(fileURLWithPath: path).lastPathComponent
            // The vocabulary's other half leads to the half with the merges.
            guard let pair = pairs.first(where: { $0.numbers == name }) else { return path }
            return sibling(of: path, pair.merges)
        }
        for name in ["tokenizer.json"] + pairs.map(\.merges) + ["gpt2_tokenizer.bin"] {
            let file = "\(path)/\(name)"
            if FileManager.default.fileExists(atPath: file) { return file }
        }
        throw TokenizerError(
            path, "the folder holds none of tokenizer.json, vocab.bpe, merges.txt and gpt2_tokenizer.bin")
    }

    /// The two files of a vocabulary, as OpenAI and as Hugging Face call them.
    private static let pairs: [(merges: String, numbers: String)] = [
        ("vocab.bpe", "encoder.json"), ("merges.txt", "vocab.json"),
    ]

    private static func sibling(of path: String, _ name: String) -> String {
        URL(fileURLWithPath: path).deletingLastPathComponent().relativePath + "/" + name
    }

    private static func contents(of path: String) throws(TokenizerError) -> Data {
        do {
            return try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw TokenizerError(path, "cannot be read (\(error.localizedDescription))")
        }
    }

    private static func decode<Value: Decodable>(_ type: Value.Type, _ path: String) throws(TokenizerError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: contents(of: path))
        } catch {
            if let error = error as? TokenizerError { throw error }
            throw TokenizerError(path, "it is not the JSON of a byte-pair vocabulary")
        }
    }

    // MARK: - vocab.bpe and encoder.json

    private init(merges path: String) throws(TokenizerError) {
        let name = URL(fileURLWithPath: path).lastPathComponent
        let numbers = Self.sibling(of: path, Self.pairs.first { $0.merges == name }?.numbers ?? "encoder.json")
        let text = String(decoding: try Self.contents(of: path), as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline)
        try self.init(
            path, merges: lines.filter { !$0.hasPrefix("#version") }.map(String.init),
            numbers: try Self.decode([String: Int32].self, numbers))
    }

    // MARK: - tokenizer.json

    private struct HuggingFaceFile: Decodable {
        struct Model: Decodable {
            let type: String?
            let vocab: [String: Int32]
            let merges: [Merge]
        }

        /// `"a b"` in older files, `["a", "b"]` in newer ones.
        struct Merge: Decodable {
            let text: String

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                text =
                    try (try? container.decode(String.self)) ?? container.decode([String].self).joined(separator: " ")
            }
        }

        struct AddedToken: Decodable {
            let id: Int32
            let content: String
        }

        struct PreTokenizer: Decodable {
            let type: String
            let add_prefix_space: Bool?
            let use_regex: Bool?
        }

        let model: Model
        let added_tokens: [AddedToken]?
        let pre_tokenizer: PreTokenizer?
    }

    private init(huggingFace path: String) throws(TokenizerError) {
        let file = try Self.decode(HuggingFaceFile.self, path)
        guard file.model.type ?? "BPE" == "BPE", file.pre_tokenizer?.type == "ByteLevel",
            file.pre_tokenizer?.add_prefix_space != true, file.pre_tokenizer?.use_regex != false
        else {
            throw TokenizerError(path, "it is not a byte-level BPE that cuts texts as GPT-2's does")
        }
        let added = (file.added_tokens ?? []).map { ($0.content, $0.id) }
        try self.init(
            path, merges: file.model.merges.map(\.text), numbers: file.model.vocab.merging(added) { $1 },
            added: Set(added.map(\.1)))
    }

    /// A vocabulary of the bytes and what `merges` make of them, numbered by `numbers`; no merge makes those `added`.
    private init(
        _ path: String, merges: [String], numbers: [String: Int32], added: Set<Int32> = []
    ) throws(TokenizerError) {
        guard let endOfText = numbers[Self.endOfTextName] else {
            throw TokenizerError(path, "it has no token \(Self.endOfTextName)")
        }
        guard Set(numbers.values) == Set(0..<Int32(numbers.count)) else {
            throw TokenizerError(path, "its tokens are not numbered from 0 on without gaps")
        }
        var tokens = [[UInt8]?](repeating: nil, count: numbers.count)
        for (spelling, number) in numbers where number != endOfText {
            tokens[Int(number)] = ByteCharacters.bytes(of: spelling)
        }
        // Merging goes by the tokens' numbers, so these must be in the order of the merges.
        var last: Int32 = -1
        var unmade = Set(numbers.values).subtracting(added)
        for (index, merge) in merges.enumerated() {
            let halves = merge.split(separator: " ")
            guard halves.count == 2, halves.allSatisfy({ numbers[String($0)] != nil }),
                let number = numbers[halves.joined()]
            else {
                throw TokenizerError(
                    path, "merge \(index + 1), '\(merge.prefix(80))', is not one of two tokens into a third")
            }
            guard number > last else {
                throw TokenizerError(
                    path,
                    "merge \(index + 1), '\(merge)', makes token \(number) after token \(last); "
                        + "only vocabularies numbered in the order of their merges can be used")
            }
            last = number
            unmade.remove(number)
        }
        // Tokens of one byte need no merge, and those of more than one piece come of no text.
        let missing = unmade.filter { tokens[Int($0)].map { $0.count > 1 && PieceScanner.isOnePiece($0) } ?? false }
        if let first = missing.min() {
            let spelling = numbers.first { $0.value == first }?.key ?? ""
            throw TokenizerError(
                path,
                "none of its \(merges.count) merges makes \(missing.count) of the \(numbers.count) tokens, the first of "
                    + "them token \(first), '\(spelling)': it is empty, cut short, or of another vocabulary; get it anew"
            )
        }
        try self.init(name: path, tokens: tokens, endOfText: endOfText)
    }

    /// What GPT-2 calls the token between two documents.
    public static let endOfTextName = "<|endoftext|>"

    // MARK: - gpt2_tokenizer.bin

    /// llm.c's: a header of 256 words, then each token's length in a byte and its bytes.
    private init(llmc path: String) throws(TokenizerError) {
        let data = [UInt8](try Self.contents(of: path))
        func word(_ index: Int) -> Int {
            (0..<4).reduce(0) { $0 | Int(data[4 * index + $1]) << (8 * $1) }
        }
        guard data.count >= 1024, word(0) == 20_240_328 else {
            throw TokenizerError(
                path, "it is none of vocab.bpe, tokenizer.json and llm.c's gpt2_tokenizer.bin (magic 20240328)")
        }
        guard (1...2).contains(word(1)) else {
            throw TokenizerError(path, "its version is \(word(1)), and versions 1 and 2 are read here")
        }
        let count = word(2)
        let endOfText = word(1) == 1 ? 50256 : word(3)
        var tokens: [[UInt8]?] = []
        var position = 1024
        while tokens.count < count {
            guard position < data.count, case let end = position + 1 + Int(data[position]), end <= data.count else {
                throw TokenizerError(path, "it ends within token \(tokens.count) of \(count); it is truncated")
            }
            tokens.append(tokens.count == endOfText ? nil : Array(data[position + 1..<end]))
            position = end
        }
        guard position == data.count else {
            throw TokenizerError(path, "\(data.count - position) bytes follow the last token")
        }
        guard endOfText < count else {
            throw TokenizerError(path, "the end of a text is token \(endOfText) of \(count)")
        }
        try self.init(name: path, tokens: tokens, endOfText: Int32(endOfText))
    }
}
