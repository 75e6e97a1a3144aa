import Foundation
import TestSupport
import Testing
import Tokenizer

/// Every format gives the same tokens, and what is no vocabulary says so.
struct VocabularyFilesTests {
    private let naive = TokenizerTests.naive

    /// GPT-2's printable stand-in for each byte.
    private func spelled(_ bytes: [UInt8]) -> String {
        let printable = Array(0x21...0x7e) + Array(0xa1...0xac) + Array(0xae...0xff)
        return bytes.map { byte in
            let code =
                printable.contains(Int(byte))
                ? Int(byte) : 256 + (0..<Int(byte)).count { !printable.contains($0) }
            return Unicode.Scalar(UInt32(code)).map { String(Character($0)) } ?? ""
        }.joined()
    }

    private var numbers: [String: Int] {
        Dictionary(
            uniqueKeysWithValues: naive.tokens.enumerated().map { ($1.map(spelled) ?? "<|endoftext|>", $0) })
    }

    private var merges: [String] { naive.merges.map { spelled($0.0) + " " + spelled($0.1) } }

    private func llmc(version: UInt32 = 2) -> Data {
        let end = naive.tokens.count - 1
        var words = [UInt32](repeating: 0, count: 256)
        (words[0], words[1], words[2], words[3]) = (20_240_328, version, UInt32(naive.tokens.count), UInt32(end))
        var data = words.map(\.littleEndian).withUnsafeBytes { Data($0) }
        for token in naive.tokens {
            let bytes = token ?? Array("<|endoftext|>".utf8)
            data.append(UInt8(bytes.count))
            data.append(contentsOf: bytes)
        }
        return data
    }

    @Test(arguments: [
        "vocab.bpe", "encoder.json", "merges.txt", "tokenizer.json", "new.json", "gpt2_tokenizer.bin", "",
    ])
    func formats(_ name: String) throws {
        let folder = try TemporaryFolder()
        let listed = "#version: 0.2\n" + merges.joined(separator: "\n") + "\n"
        switch name {
        case "merges.txt":
            try folder.write("merges.txt", listed)
            try folder.write("vocab.json", json: numbers)
        case "tokenizer.json", "new.json":
            var numbers = numbers
            let end = numbers.removeValue(forKey: "<|endoftext|>") ?? -1
            let merges: [Any] = name == "new.json" ? merges.map { $0.split(separator: " ").map(String.init) } : merges
            try folder.write(
                name,
                json: [
                    "model": ["type": "BPE", "vocab": numbers, "merges": merges],
                    "added_tokens": [["id": end, "content": "<|endoftext|>"]],
                    "pre_tokenizer": ["type": "ByteLevel", "add_prefix_space": false],
                ])
        case "gpt2_tokenizer.bin": try folder.write(name, llmc())
        default:
            try folder.write("vocab.bpe", listed)
            try folder.write("encoder.json", json: numbers)
        }
        let tokenizer = try Tokenizer(readingFrom: name.isEmpty ? folder.path : folder.path + "/" + name)
        #expect(tokenizer.tokens == naive.tokens)
        #expect(tokenizer.endOfText == Int32(naive.tokens.count - 1))
        #expect(tokenizer.encode(TokenizerTests.sample) == naive.encode(TokenizerTests.sample))
    }

    @Test func unusable() throws {
        let folder = try TemporaryFolder()
        func error(_ name: String) throws -> String {
            let error = try #require(throws: TokenizerError.self) {
                _ = try Tokenizer(readingFrom: folder.path + "/" + name)
            }
            #expect(error.description.hasPrefix(folder.path) && !error.description.contains("\n"))
            return error.description
        }
        #expect(try error("none").contains("there is no such file"))
        #expect(try error("").contains("holds none of"))

        try folder.write("short.bin", llmc().prefix(1500))
        #expect(try error("short.bin").contains("it is truncated"))
        try folder.write("long.bin", llmc() + Data([1]))
        #expect(try error("long.bin").contains("1 bytes follow"))
        try folder.write("version.bin", llmc(version: 3))
        #expect(try error("version.bin").contains("version is 3"))
        try folder.write("noise.bin", Data(repeating: 7, count: 2000))
        #expect(try error("noise.bin").contains("magic"))

        try folder.write("vocab.bpe", merges.joined(separator: "\n"))
        #expect(try error("vocab.bpe").contains("encoder.json: cannot be read"))
        try folder.write("encoder.json", "{")
        #expect(try error("vocab.bpe").contains("not the JSON"))
        try folder.write("encoder.json", json: numbers.filter { $0.key != "<|endoftext|>" })
        #expect(try error("vocab.bpe").contains("no token <|endoftext|>"))
        try folder.write("encoder.json", json: numbers.filter { $0.key != "a" })
        #expect(try error("vocab.bpe").contains("without gaps"))
        try folder.write("encoder.json", json: numbers)
        try folder.write("vocab.bpe", merges.reversed().joined(separator: "\n"))
        #expect(try error("vocab.bpe").contains("order of their merges"))
        try folder.write("vocab.bpe", "t hx\n")
        #expect(try error("vocab.bpe").contains("merge 1, 't hx'"))
        try folder.write(
            "tokenizer.json", json: ["model": ["type": "BPE", "vocab": numbers, "merges": merges] as [String: Any]])
        #expect(try error("tokenizer.json").contains("byte-level"))
    }

    /// A token of one piece that nothing makes: what it is part of would get other tokens.
    @Test(arguments: ["empty", "cut", "within a line", "without one", "tokenizer.json"])
    func missingMerges(_ damage: String) throws {
        let folder = try TemporaryFolder()
        var merges = merges
        let last = try #require(merges.lastIndex { $0.allSatisfy { $0 == " " || $0.isASCII && $0.isLetter } })
        let dropped = merges.remove(at: last)
        switch damage {
        case "empty": merges = []
        case "cut": merges.removeLast(20)
        case "within a line": merges.append(String(dropped.prefix { $0 != " " }))
        default: break
        }
        try folder.write("vocab.json", json: numbers)
        try folder.write("merges.txt", merges.map { $0 + "\r\n" }.joined())
        try folder.write(
            "tokenizer.json",
            json: [
                "model": ["type": "BPE", "vocab": numbers, "merges": merges] as [String: Any],
                "pre_tokenizer": ["type": "ByteLevel", "add_prefix_space": false],
            ])
        let path = folder(damage == "tokenizer.json" ? damage : "merges.txt")
        let error = try #require(throws: TokenizerError.self) { _ = try Tokenizer(readingFrom: path) }.description
        #expect(error.hasPrefix(path))
        switch damage {
        case "empty":
            #expect(error.contains("none of its 0 merges makes ") && error.contains("the first of them token 256, "))
        case "within a line": #expect(error.contains("is not one of two tokens into a third"))
        default: #expect(error.contains(" of the \(numbers.count) tokens, the first of them token "))
        }
    }

    @Test func windowsLineEnds() throws {
        let folder = try TemporaryFolder()
        try folder.write("vocab.json", json: numbers)
        try folder.write("merges.txt", "#version: 0.2\r\n" + merges.map { $0 + "\r\n" }.joined())
        #expect(try Tokenizer(readingFrom: folder.path).tokens == naive.tokens)
    }

    /// A token that only the name of something special spells needs no merge.
    @Test func addedTokens() throws {
        let folder = try TemporaryFolder()
        try folder.write("vocab.json", json: numbers.merging(["<pad>": numbers.count]) { first, _ in first })
        try folder.write("merges.txt", merges.joined(separator: "\n"))
        #expect(try Tokenizer(readingFrom: folder.path).count == numbers.count + 1)
    }

    /// Without "th" there is no way to "the", though the list of tokens is whole in form.
    @Test func missingTokens() throws {
        let bytes: [[UInt8]?] = (0..<256).map { [UInt8($0)] }
        let words: [[UInt8]?] = ["th", "the", "ther"].map { Array($0.utf8) }
        #expect(throws: Never.self) {
            _ = try Tokenizer(name: "x", tokens: bytes + words[..<2] + [nil], endOfText: 258)
        }
        let error = try #require(throws: TokenizerError.self) {
            _ = try Tokenizer(name: "x", tokens: bytes + words[1...] + [nil], endOfText: 258)
        }
        #expect(
            error.description.contains("2 of its 259 tokens come of no merging of others, the first of them token 256"))
    }

    @Test func vocabulariesThatMissBytesOrRepeatTokens() throws {
        #expect(throws: TokenizerError.self) { _ = try Tokenizer(name: "x", tokens: [[1], nil], endOfText: 1) }
        let bytes: [[UInt8]?] = (0..<256).map { [UInt8($0)] }
        #expect(throws: TokenizerError.self) {
            _ = try Tokenizer(name: "x", tokens: bytes + [[1, 2], [1, 2]], endOfText: 0)
        }
        #expect(throws: TokenizerError.self) { _ = try Tokenizer(name: "x", tokens: bytes, endOfText: 256) }
    }
}
