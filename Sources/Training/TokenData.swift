/// A long sequence of tokens to learn from: parts in memory or in files, one after the other.
public struct TokenData: Sendable {
    private enum Part: Sendable {
        case memory([Int32])
        case shard(TokenShard)

        var count: Int {
            switch self {
            case .memory(let tokens): tokens.count
            case .shard(let shard): shard.count
            }
        }
    }

    private let parts: [(start: Int, part: Part)]
    /// The part of the sequence that this is, where it was split.
    private let range: Range<Int>

    /// The number of tokens.
    public var count: Int { range.count }

    /// Tokens in memory.
    public init(_ tokens: [Int32]) { self.init(parts: [.memory(tokens)]) }

    /// The tokens of llm.c's shards, in the order given.
    ///
    /// - Throws: ``TrainingError`` for the first shard that cannot be used, or has a token outside the vocabulary.
    public init(shards paths: [String], vocabulary: Int) throws(TrainingError) {
        var shards: [Part] = []
        for path in paths {
            let shard = try TokenShard(readingFrom: path)
            var (index, alien) = (0, (token: Int32(0), index: -1))
            try shard.forEach(in: 0..<shard.count) { token in
                if token >= vocabulary, alien.index < 0 { alien = (token, index) }
                index += 1
            }
            guard alien.index < 0 else {
                throw TrainingError(
                    path,
                    "token \(alien.token) at \(alien.index) lies outside the vocabulary of \(vocabulary); "
                        + "give the model or --tokenizer that the shard was made for")
            }
            shards.append(.shard(shard))
        }
        self.init(parts: shards)
    }

    private init(parts: [Part]) {
        var (start, placed) = (0, [(start: Int, part: Part)]())
        for part in parts {
            placed.append((start, part))
            start += part.count
        }
        self.parts = placed
        range = 0..<start
    }

    private init(_ data: TokenData, _ range: Range<Int>) {
        parts = data.parts
        self.range = range
    }

    /// All but the last part of that fraction, and that part.
    public func split(last fraction: Double) -> (TokenData, TokenData) {
        let middle = range.upperBound - Int(Double(count) * fraction)
        return (TokenData(self, range.lowerBound..<middle), TokenData(self, middle..<range.upperBound))
    }

    /// The tokens of a range.
    ///
    /// - Throws: ``TrainingError`` where a file has become shorter.
    public func tokens(in wanted: Range<Int>) throws(TrainingError) -> [Int32] {
        var tokens: [Int32] = []
        tokens.reserveCapacity(wanted.count)
        try forEach(in: wanted) { tokens.append($0) }
        return tokens
    }

    /// A number that tells these tokens from others.
    ///
    /// Source: Fowler, Noll and Vo, FNV-1a, over tokens instead of bytes.
    ///
    /// - Throws: ``TrainingError`` where a file has become shorter.
    public func digest() throws(TrainingError) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        try forEach(in: 0..<count) { hash = (hash ^ UInt64(truncatingIfNeeded: $0)) &* 0x100_0000_01b3 }
        return hash
    }

    private func forEach(in wanted: Range<Int>, _ body: (Int32) -> Void) throws(TrainingError) {
        precondition(wanted.lowerBound >= 0 && wanted.upperBound <= count, "tokens \(wanted) of \(count)")
        let all = range.lowerBound + wanted.lowerBound..<range.lowerBound + wanted.upperBound
        for (start, part) in parts {
            let here = all.clamped(to: start..<start + part.count)
            guard !here.isEmpty else { continue }
            let local = here.lowerBound - start..<here.upperBound - start
            switch part {
            case .memory(let tokens): tokens[local].forEach(body)
            case .shard(let shard): try shard.forEach(in: local, body)
            }
        }
    }
}
