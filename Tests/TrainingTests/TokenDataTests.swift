import Foundation
import TestSupport
import Testing
import Tokenizer
import Training

/// Tokens come from shards and texts as they were put there.
struct TokenDataTests {
    @Test func shards() throws {
        let folder = try TemporaryFolder()
        let tokens = (0..<1000).map { Int32($0 * 65_535 / 999) }
        try TokenShard.write(Array(tokens[..<400]), to: folder("a.bin"))
        try TokenShard.write(Array(tokens[400...]), to: folder("b.bin"))
        let data = try TokenData(shards: [folder("a.bin"), folder("b.bin")], vocabulary: 65_536)
        #expect(data.count == 1000)
        #expect(try data.tokens(in: 0..<1000) == tokens)
        #expect(try data.tokens(in: 399..<401) == Array(tokens[399..<401]))
        #expect(try data.digest() == TokenData(tokens).digest())
        let (head, tail) = data.split(last: 0.25)
        #expect(try head.tokens(in: 700..<750) == Array(tokens[700..<750]))
        #expect(try tail.tokens(in: 0..<250) == Array(tokens[750...]))
        #expect(try head.digest() != data.digest())
    }

    @Test func unusableShards() throws {
        let folder = try TemporaryFolder()
        try TokenShard.write([1, 2, 300], to: folder("a.bin"))
        let data = try contents(folder("a.bin"))
        #expect(data.count == 1024 + 6)
        func error(_ change: (inout Data) -> Void = { _ in }, vocabulary: Int = 301) throws -> String {
            var copy = data
            change(&copy)
            let path = try folder.write("bad.bin", copy)
            let error = try #require(throws: TrainingError.self) {
                _ = try TokenData(shards: [path], vocabulary: vocabulary)
            }
            #expect(error.description.hasPrefix(path))
            return error.description
        }
        #expect(try error({ $0.removeLast() }).contains("1030 bytes, and has 1029"))
        #expect(try error({ $0.append(1) }).contains("has 1031"))
        #expect(try error({ $0[0] = 0 }).contains("magic 20240520"))
        #expect(try error({ $0[4] = 7 }).contains("version is 7"))
        #expect(try error({ $0[11] = 0xff }).contains("write it anew"))
        #expect(try error({ $0 = $0.prefix(10) }).contains("magic"))
        #expect(try error(vocabulary: 300).contains("token 300 at 2 lies outside the vocabulary of 300"))
        #expect(throws: TrainingError.self) { try TokenShard.write([65_536], to: folder("c.bin")) }
        #expect(throws: TrainingError.self) { try TokenShard(readingFrom: folder("none.bin")) }
    }

    @Test func texts() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder("sub/.hidden"), withIntermediateDirectories: true)
        _ = try folder.write("sub/b.txt", Data("B".utf8))
        _ = try folder.write("a.txt", Data("A".utf8))
        _ = try folder.write("sub/.hidden/c.txt", Data("C".utf8))
        _ = try folder.write("picture", Data([1, 0, 2]))
        let text = try TextCollection([folder.path, folder("picture")], tokenizer: .bytes)
        #expect(text.tokens == [256, 65, 256, 66, 256, 1, 0, 2])
        #expect(text.files == 3 && text.bytes == 5 && text.skipped == 1)
        #expect(throws: TrainingError.self) { _ = try TextCollection([folder("none")], tokenizer: .bytes) }
        #expect(throws: TrainingError.self) { _ = try TextCollection([folder("sub/.hidden/none")], tokenizer: .bytes) }
        _ = try folder.write("empty", Data())
        #expect(throws: TrainingError.self) { _ = try TextCollection([folder("empty")], tokenizer: .bytes) }
    }
}
