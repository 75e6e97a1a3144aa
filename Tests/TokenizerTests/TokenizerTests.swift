import Foundation
import Testing
import Tokenizer

/// Tokens are those of the definition, and spell what was encoded.
struct TokenizerTests {
    static let naive = NaiveBPE(learning: 80, from: Array(sample.utf8))
    static let sample = """
        It's the cats' mat, they'll say; we've 1234 things and the 56 others.  Don't   stop.
        \tThe theatre, the thesis:\r\n\r\n    return the[12] == there's && them != 'there'
        Süße Äpfel – ça coûte 3 €, naïve… 日本語のテキスト、한국어 ١٢٣ Ⅻ ½ 🙂🙂🙃
        """

    private func tokenizer() throws -> Tokenizer {
        try Tokenizer(name: "naive", tokens: Self.naive.tokens, endOfText: Int32(Self.naive.tokens.count - 1))
    }

    @Test func byteLevel() {
        #expect(Tokenizer.bytes.count == 257 && Tokenizer.bytes.endOfText == 256)
        #expect(Tokenizer.bytes.encode("né") == [110, 0xc3, 0xa9])
        #expect(Tokenizer.bytes.decode([104, 105, 256, 33]) == Array("hi!".utf8))
    }

    @Test func wholeSample() throws {
        #expect(try tokenizer().encode(Self.sample) == Self.naive.encode(Self.sample))
    }

    /// Random texts of characters from which the pattern's every branch begins.
    @Test(arguments: 0..<40)
    func randomTexts(_ seed: UInt64) throws {
        var generator = Generator(state: seed)
        let alphabet = Array(
            "  \n\t\r\u{a0}\u{85}\u{2003}\u{3000}''sstmdrevlaeth,.!-_§(]19²Ⅻ٣éß日e\u{301}🙂\u{200d}".unicodeScalars)
        let tokenizer = try tokenizer()
        for _ in 0..<20 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0..<40, using: &generator) {
                if let scalar = alphabet.randomElement(using: &generator) { text.append(scalar) }
            }
            #expect(tokenizer.encode(String(text)) == Self.naive.encode(String(text)), "\(Array(text))")
        }
    }

    /// Pieces so long that another algorithm takes over.
    @Test(arguments: ["the", "a", "there", "thethx"])
    func longPieces(_ unit: String) throws {
        let text = String(repeating: unit, count: 400 / unit.count)
        #expect(try tokenizer().encode(text) == Self.naive.encode(text))
        let long = String(repeating: unit, count: 1_000_000 / unit.count)
        let tokenizer = try tokenizer()
        #expect(tokenizer.decode(tokenizer.encode(long)) == Array(long.utf8))
    }

    @Test(arguments: 0..<20)
    func anyBytesComeBack(_ seed: UInt64) throws {
        var generator = Generator(state: seed)
        let tokenizer = try tokenizer()
        for count in [0, 1, 2, 3, 50, 500] {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(tokenizer.decode(tokenizer.encode(bytes)) == bytes)
        }
    }

    /// What is not UTF-8 is one piece with all that follows, and with the piece before.
    @Test(
        arguments: [
            ("the", " cats", [0xff]), ("the cats", " ", [0xc3]), ("", "", [0x80, 0x74, 0x68, 0x65]),
            ("", "the", [0xed, 0xa0, 0x80]), ("they", " 12", [0xf4, 0x90, 0x80, 0x80]),
            ("the", " \n ", [0xc0, 0xaf, 0x20, 0x61]), ("", "x", [0xe2, 0x82]), ("the", " the", [0xe2, 0x82, 0x74]),
        ] as [(String, String, [UInt8])])
    func invalidUTF8(_ before: String, _ last: String, _ rest: [UInt8]) throws {
        let expected = Self.naive.encode(before) + Self.naive.merge(Array(last.utf8) + rest)
        #expect(try tokenizer().encode(Array((before + last).utf8) + rest) == expected)
    }

    @Test func scalarsOfEveryPlane() throws {
        let tokenizer = try tokenizer()
        for value in stride(from: UInt32(0), to: 0x110000, by: 97) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = "the\(scalar)the \(scalar)\(scalar) the"
            #expect(tokenizer.decode(tokenizer.encode(text)) == Array(text.utf8))
        }
    }
}

/// Random numbers that are the same each time.
struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state ^ state >> 33) &* 0xff51_afd7_ed55_8ccd
    }
}
