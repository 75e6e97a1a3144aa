/// Cuts a text into the pieces that GPT-2 encodes one by one: contractions, words, numbers, other signs, each with the
/// blank before it, and white space.
///
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///
/// Source: GPT-2 `encoder.py`; tiktoken's `r50k_pat_str`, which matches the same.
struct PieceScanner {
    let text: UnsafeBufferPointer<UInt8>
    /// Where the text ends; all before it is valid UTF-8.
    let end: Int

    /// The end of the piece that begins at `start`.
    func piece(at start: Int) -> Int {
        if text[start] == UInt8(ascii: "'"), let length = contraction(at: start + 1) { return start + 1 + length }
        let afterBlank = text[start] == UInt8(ascii: " ") && start + 1 < end ? start + 1 : start
        let (first, length) = scalarClass(at: afterBlank)
        guard first == .space else { return run(of: first, from: afterBlank + length).end }

        let (end, last) = run(of: .space, from: start)
        // The last blank goes with what follows, unless it is the only one.
        return end == self.end || last == start ? end : last
    }

    /// Whether bytes can lie in one piece of a text; they may be a part of a scalar.
    static func isOnePiece(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBufferPointer { text in
            validPrefix(of: text) < text.count || PieceScanner(text: text, end: text.count).piece(at: 0) == text.count
        }
    }

    private func contraction(at position: Int) -> Int? {
        guard position < end else { return nil }
        let pair = position + 1 < end ? (text[position], text[position + 1]) : (text[position], 0)
        switch (Unicode.Scalar(pair.0), Unicode.Scalar(pair.1)) {
        case ("s", _), ("t", _), ("m", _), ("d", _): return 1
        case ("r", "e"), ("v", "e"), ("l", "l"): return 2
        default: return nil
        }
    }

    /// The end of the scalars of that class from `position` on, and where the last of them begins.
    private func run(of wanted: ScalarClass, from position: Int) -> (end: Int, last: Int) {
        var (end, last) = (position, position)
        while end < self.end {
            let (found, length) = scalarClass(at: end)
            guard found == wanted else { break }
            last = end
            end += length
        }
        return (end, last)
    }

    private func scalarClass(at position: Int) -> (ScalarClass, length: Int) {
        let lead = text[position]
        guard lead >= 0x80 else { return (ScalarClass.of(UInt32(lead)), 1) }
        let length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
        var value = UInt32(lead) & (0x7f >> UInt32(length))
        for offset in 1..<length { value = value << 6 | UInt32(text[position + offset] & 0x3f) }
        return (ScalarClass.of(value), length)
    }
}

/// The length of the longest prefix that is valid UTF-8.
///
/// Source: The Unicode Standard 17, table 3-7.
func validPrefix(of text: UnsafeBufferPointer<UInt8>) -> Int {
    var position = 0
    while position < text.count {
        let lead = text[position]
        if lead < 0x80 {
            position += 1
            continue
        }
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xbf
        switch lead {
        case 0xc2...0xdf: length = 2
        case 0xe0: (length, second) = (3, 0xa0...0xbf)
        case 0xed: (length, second) = (3, 0x80...0x9f)
        case 0xe1...0xef: length = 3
        case 0xf0: (length, second) = (4, 0x90...0xbf)
        case 0xf1...0xf3: length = 4
        case 0xf4: (length, second) = (4, 0x80...0x8f)
        default: return position
        }
        guard position + length <= text.count, second.contains(text[position + 1]) else { return position }
        for offset in 2..<max(length, 2) where text[position + offset] & 0xc0 != 0x80 { return position }
        position += length
    }
    return position
}
