import Kernels
import Tensors

/// Positions along the independent sizes of a call: what a part of it computes alone.
///
/// The truth of a large call would take longer than all its timings. A part holds the first and last positions, where
/// blocks and tiles end, and others at random.
struct Selection: Sendable, Hashable {
    /// The positions along each size, ascending; a size without an entry is whole.
    var positions: [String: [Int]] = [:]

    /// The sizes of which only some positions are taken.
    var names: Set<String> { Set(positions.keys) }

    /// The selection along those sizes alone.
    func only(_ names: Set<String>) -> Selection {
        Selection(positions: positions.filter { names.contains($0.key) })
    }

    /// The flat indices in a tensor of those axes of its selected elements, in order.
    func indices(in axes: [Axis]) -> Positions {
        let factors = axes.flatMap(\.factors)
        let chosen = factors.map { factor in factor.size.flatMap { positions[$0] } }
        guard chosen.contains(where: { $0 != nil }) else { return Positions(below: axes.reduce(1) { $0 * $1.extent }) }
        var indices = [0]
        for (factor, chosen) in zip(factors, chosen) {
            let chosen = chosen ?? Array(0..<factor.extent)
            indices = indices.flatMap { outer in chosen.map { outer * factor.extent + $0 } }
        }
        return Positions(indices)
    }

    /// The axes of the part.
    func axes(_ axes: [Axis]) -> [Axis] {
        axes.map { axis in axis.resized { positions[$0]?.count } }
    }

    /// The sizes of the part of a call of that signature.
    func sizes(of whole: Signature) -> [String: Int] { whole.sizes(with: positions.mapValues(\.count)) }

    /// As few positions along the `independent` sizes as make the call no more work than `limit`, in operations and in
    /// elements: two of each, where there are two and that is little enough.
    static func of<K: Kernel>(
        _ kernel: K.Type, _ whole: Signature, independent: Set<String>, limit: Int, seed: UInt64
    ) -> Selection {
        let extents = whole.extents.filter { independent.contains($0.key) }
        var counts = extents
        var generator = SplitMix64(state: UInt64(hashing: K.name.symbol) ^ seed)
        while true {
            if K.work(at: whole.sizes(with: counts)) <= limit { break }
            // The name decides between two alike, so that every run takes the same.
            guard let (name, count) = counts.max(by: { ($0.value, $0.key) < ($1.value, $1.key) }), count > 1 else {
                break
            }
            counts[name] = count > 2 ? max(count / 2, 2) : 1
        }
        var selection = Selection()
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) where count < extents[name, default: 0] {
            selection.positions[name] = pick(count, of: extents[name, default: 0], using: &generator)
        }
        return selection
    }

    /// `count` of `0..<total`, in order: the first and last third, and of each of as many stretches between one, every other
    /// of them beside a multiple of 64; one alone is any.
    static func pick(_ count: Int, of total: Int, using generator: inout SplitMix64) -> [Int] {
        guard total > count else { return Array(0..<total) }
        guard count > 1 else { return [Int.random(in: 0..<total, using: &generator)] }
        let ends = max(count / 3, 1)
        let (first, last) = (ends, min(ends, count - ends))
        let (middle, stretch) = (count - first - last, first..<total - last)
        let others = (0..<middle).map { i in
            let start = stretch.lowerBound + stretch.count * i / middle
            let end = stretch.lowerBound + stretch.count * (i + 1) / middle
            let any = Int.random(in: start..<end, using: &generator)
            guard i % 2 == 0 else { return any }
            let beside = (any + 32) / 64 * 64 - i / 2 % 2
            return (start..<end).contains(beside) ? beside : any
        }
        return Array(0..<first) + others + Array(total - last..<total)
    }
}

extension Signature {
    /// The positions along each size that arguments have; of one that is a product, along what it is the product of.
    public var extents: [String: Int] {
        Dictionary(
            arguments.flatMap(\.axes).flatMap(\.factors).compactMap { factor in
                factor.size.map { ($0, factor.extent) }
            }, uniquingKeysWith: { first, _ in first })
    }

    /// The sizes where some are others: with them, what is a product of them, such as C, the heads one after the other.
    public func sizes(with counts: [String: Int]) -> [String: Int] {
        var sizes = sizesByName
        for (name, count) in counts where sizes[name] != nil { sizes[name] = count }
        for axis in arguments.flatMap(\.axes) where sizes[axis.name] != nil && axis.factors.count > 1 {
            sizes[axis.name] = axis.resized { counts[$0] }.extent
        }
        return sizes
    }
}
