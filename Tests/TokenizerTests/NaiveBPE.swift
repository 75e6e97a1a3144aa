import Foundation

/// Byte-pair encoding as its definition says, with Foundation's regular expressions: slow, and independent of the
/// library's.
struct NaiveBPE {
    /// The bytes of each token: the 256 bytes, then what each merge makes; last, nil for the end of a text.
    let tokens: [[UInt8]?]
    private let numbers: [[UInt8]: Int32]
    /// The halves of each merge.
    let merges: [([UInt8], [UInt8])]

    /// Learns `count` merges from a text, whose words it does not tell apart, so that there are tokens of parts of two.
    init(learning count: Int, from text: [UInt8]) {
        var tokens: [[UInt8]] = (0..<256).map { [UInt8($0)] }
        var merges: [([UInt8], [UInt8])] = []
        var parts = text.map { [$0] }
        while merges.count < count {
            var pairs: [[[UInt8]]: Int] = [:]
            for (first, second) in zip(parts, parts.dropFirst()) { pairs[[first, second], default: 0] += 1 }
            let known = Set(tokens)
            guard
                let best = pairs.filter({ !known.contains($0.key[0] + $0.key[1]) }).max(by: {
                    $0.value < $1.value
                        || ($0.value == $1.value && $0.key.joined().lexicographicallyPrecedes($1.key.joined()))
                })?.key
            else { break }
            tokens.append(best[0] + best[1])
            merges.append((best[0], best[1]))
            var merged: [[UInt8]] = []
            for part in parts {
                if part == best[1], merged.last == best[0] {
                    merged[merged.count - 1] += part
                } else {
                    merged.append(part)
                }
            }
            parts = merged
        }
        self.tokens = tokens + [nil]
        self.merges = merges
        numbers = Dictionary(uniqueKeysWithValues: tokens.enumerated().map { ($1, Int32($0)) })
    }

    func encode(_ text: String) -> [Int32] {
        let whole = text as NSString
        return Self.pattern.matches(in: text, range: NSRange(location: 0, length: whole.length)).flatMap {
            merge(Array(whole.substring(with: $0.range).utf8))
        }
    }

    /// The tokens of one piece.
    func merge(_ piece: [UInt8]) -> [Int32] {
        var parts = piece.map { [$0] }
        while true {
            let pairs = zip(parts, parts.dropFirst()).enumerated().compactMap { index, pair in
                numbers[pair.0 + pair.1].map { (number: $0, index: index) }
            }
            guard let next = pairs.min(by: { ($0.number, $0.index) < ($1.number, $1.index) }) else { break }
            parts[next.index] += parts.remove(at: next.index + 1)
        }
        return parts.compactMap { numbers[$0] }
    }

    private static let pattern: NSRegularExpression = {
        let pattern = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
        guard let pattern = try? NSRegularExpression(pattern: pattern) else { preconditionFailure("a bad pattern") }
        return pattern
    }()
}
