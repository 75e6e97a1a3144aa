/// The bytes of every token of a vocabulary, and the way back from bytes to the token.
struct TokenTable: Sendable {
    /// The bytes of all tokens, one after the other; those of token t lie at `starts[t]..<starts[t + 1]`.
    private var bytes: [UInt8] = []
    private var starts: [Int] = [0]
    /// Open addressing: the upper half of the hash beside the token plus 1; 0 where there is none.
    private var slots: [UInt64]
    /// The token of each pair of bytes, by first · 256 + second; -1 where there is none.
    private(set) var pairs = [Int32](repeating: -1, count: 1 << 16)
    private var longest = 0

    /// A table of `tokens`, in the order of their numbers; nil stands for a special token, which no text spells.
    ///
    /// - Throws: ``Problem`` where two tokens have the same bytes, or one has none.
    init(_ tokens: [[UInt8]?]) throws(Problem) {
        var capacity = 1024
        while capacity < 2 * tokens.count { capacity *= 2 }
        slots = [UInt64](repeating: 0, count: capacity)
        for (token, spelling) in tokens.enumerated() {
            bytes += spelling ?? []
            starts.append(bytes.count)
            guard let spelling else { continue }
            guard !spelling.isEmpty else { throw Problem(description: "token \(token) has no bytes") }
            try insert(spelling, Int32(token))
        }
    }

    /// What is wrong with a list of tokens.
    struct Problem: Error {
        let description: String
    }

    /// The number of tokens.
    var count: Int { starts.count - 1 }

    /// The number of bytes of a token; 0 for a special one.
    func length(of token: Int32) -> Int { starts[Int(token) + 1] - starts[Int(token)] }

    /// The bytes of a token; none for a special one.
    func spelling(of token: Int32) -> ArraySlice<UInt8> { bytes[starts[Int(token)]..<starts[Int(token) + 1]] }

    /// The token that has just these bytes; nil where there is none.
    func token(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int32? {
        guard range.count <= longest, let base = text.baseAddress else { return nil }
        let hash = Self.hash(base + range.lowerBound, range.count)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 {
            if slots[slot] >> 32 == hash >> 32 {
                let token = Int(truncatingIfNeeded: slots[slot] & 0xffff_ffff) - 1
                let start = starts[token]
                if starts[token + 1] - start == range.count,
                    range.allSatisfy({ text[$0] == bytes[start + $0 - range.lowerBound] })
                {
                    return Int32(token)
                }
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private mutating func insert(_ spelling: [UInt8], _ token: Int32) throws(Problem) {
        let twin = spelling.withUnsafeBufferPointer { self.token($0, 0..<$0.count) }
        if let twin { throw Problem(description: "tokens \(twin) and \(token) have the same bytes") }
        longest = max(longest, spelling.count)
        if spelling.count == 2 { pairs[Int(spelling[0]) << 8 | Int(spelling[1])] = token }
        let hash = spelling.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { Self.hash($0, buffer.count) } ?? 0
        }
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = (hash & ~0xffff_ffff) | UInt64(token + 1)
    }

    /// A hash that reads eight bytes at a time, the last of them overlapping.
    private static func hash(_ base: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        let bytes = UnsafeRawPointer(base)
        var hash = UInt64(count)
        func mix(_ word: UInt64) {
            hash = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
            hash ^= hash >> 29
        }
        for offset in stride(from: 0, to: count - 7, by: 8) {
            mix(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        switch count {
        case 8...: if count % 8 != 0 { mix(bytes.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)) }
        case 4...:
            let (low, high) = (
                bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self),
                bytes.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
            )
            mix(UInt64(high) << 32 | UInt64(low))
        case 1...: mix(UInt64(base[0]) | UInt64(base[count / 2]) << 8 | UInt64(base[count - 1]) << 16)
        default: break
        }
        return hash &* 0x9e37_79b9_7f4a_7c15
    }
}
