/// Merges the bytes of a piece of text into tokens: always the pair that makes the token of the lowest number, and of
/// equals the leftmost, until no two neighbours make a token.
///
/// Source: Sennrich, Haddow and Birch 2016, arXiv:1508.07909; GPT-2 `bpe`; tiktoken, whose results are these.
struct BytePairMerge {
    private let table: TokenTable
    /// Where each part of the piece begins, and last where it ends.
    private var starts: [Int] = []
    /// The token that each part makes with the next; `none` if they make none.
    private var merged: [Int32] = []
    private var heap = Heap()

    private static let none = Int32.max
    /// From this length on a heap finds the next pair sooner than a scan does.
    private static let long = 100

    init(_ table: TokenTable) { self.table = table }

    /// Appends the tokens of a piece that is no token itself.
    mutating func append(
        _ text: UnsafeBufferPointer<UInt8>, _ piece: Range<Int>, to tokens: inout [Int32]
    ) {
        starts.removeAll(keepingCapacity: true)
        merged.removeAll(keepingCapacity: true)
        for position in piece {
            starts.append(position)
            let next = position + 1
            let pair = next < piece.upperBound ? table.pairs[Int(text[position]) << 8 | Int(text[next])] : -1
            merged.append(pair < 0 ? Self.none : pair)
        }
        starts.append(piece.upperBound)
        if piece.count < Self.long { mergeByScanning(text) } else { mergeByHeap(text) }
        for part in merged.indices {
            if let token = table.token(text, starts[part]..<starts[part + 1]) { tokens.append(token) }
        }
    }

    /// What merging makes of bytes.
    mutating func tokens(of text: UnsafeBufferPointer<UInt8>) -> [Int32] {
        var tokens: [Int32] = []
        append(text, 0..<text.count, to: &tokens)
        return tokens
    }

    private mutating func mergeByScanning(_ text: UnsafeBufferPointer<UInt8>) {
        while true {
            var (best, at) = (Self.none, 0)
            for (part, token) in merged.enumerated() where token < best { (best, at) = (token, part) }
            if best == Self.none { return }
            starts.remove(at: at + 1)
            merged.remove(at: at + 1)
            for part in max(at - 1, 0)...at {
                let makesToken = part + 2 < starts.count
                merged[part] = makesToken ? table.token(text, starts[part]..<starts[part + 2]) ?? Self.none : Self.none
            }
        }
    }

    /// As by scanning, in n log n steps. Parts stay where they are; a part that was merged into the one before is
    /// skipped, and an entry of the heap that is no longer true is dropped when it comes up.
    private mutating func mergeByHeap(_ text: UnsafeBufferPointer<UInt8>) {
        let count = merged.count
        var previous = Array(-1..<count)
        var next = Array(1...count + 1)
        heap.removeAll()
        for (part, token) in merged.enumerated() where token != Self.none { heap.push(token, part) }
        while let (token, part) = heap.pop() {
            guard merged[part] == token else { continue }
            let second = next[part]
            next[part] = next[second]
            previous[next[part]] = part
            merged[second] = Self.none
            for changed in [part, previous[part]] where changed >= 0 {
                let second = next[changed]
                let range = starts[changed]..<starts[second < count ? next[second] : count]
                merged[changed] = second < count ? table.token(text, range) ?? Self.none : Self.none
                if merged[changed] != Self.none { heap.push(merged[changed], changed) }
            }
        }
        var kept = 0
        var part = 0
        while part < count {
            starts[kept] = starts[part]
            kept += 1
            part = next[part]
        }
        starts[kept] = starts[count]
        merged.removeLast(count - kept)
    }
}

/// Pairs of a token and a place, the least first.
private struct Heap {
    private var keys: [UInt64] = []

    mutating func removeAll() { keys.removeAll(keepingCapacity: true) }

    mutating func push(_ token: Int32, _ place: Int) {
        keys.append(UInt64(token) << 32 | UInt64(place))
        var child = keys.count - 1
        while child > 0, keys[child] < keys[(child - 1) / 2] {
            keys.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> (token: Int32, place: Int)? {
        guard let least = keys.first, let last = keys.popLast() else { return nil }
        if !keys.isEmpty {
            keys[0] = last
            var parent = 0
            while 2 * parent + 1 < keys.count {
                var child = 2 * parent + 1
                if child + 1 < keys.count, keys[child + 1] < keys[child] { child += 1 }
                if keys[parent] <= keys[child] { break }
                keys.swapAt(parent, child)
                parent = child
            }
        }
        return (Int32(truncatingIfNeeded: least >> 32), Int(least & 0xffff_ffff))
    }
}
