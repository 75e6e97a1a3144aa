import Foundation
import Kernels
import Tensors

/// The sizes at which kernels break: where vectors, tiles, blocks and counters end.
public enum EdgeSizes {
    /// The least sizes, primes, and one below, at and above the powers of two from 4 to 1024.
    private static let usual: [Int] =
        [1, 2, 3, 5, 7, 11, 13] + (2...10).flatMap { [1 << $0 - 1, 1 << $0, 1 << $0 + 1] }
    /// Beyond what 15 and 16 bits count, and 100 000: of sizes that rows have, such as the vocabulary's.
    private static let large = [1 << 15 - 1, 1 << 15, 1 << 15 + 1, 1 << 16, 1 << 16 + 1, 100_003]
    /// What the other sizes are meanwhile, few and mostly odd, as far as the call has then no more work, in operations and
    /// elements.
    private static let others = [
        (sizes: [1, 2, 3, 3, 5, 7], work: 1 << 16), (sizes: [1, 2], work: 1 << 16), (sizes: [1], work: 1 << 23),
    ]

    /// Sizes of calls of `kernel`: each size in turn is every one of the edges, while the others are small.
    public static func sizes<K: Kernel>(of kernel: K.Type, seed: UInt64) -> [[String: Int]] {
        var generator = SplitMix64(state: UInt64(hashing: K.name.symbol) &+ seed)
        var found: [[String: Int]] = []
        let signature = K().signature
        let rows = Set(signature.arguments.compactMap { $0.axes.last?.name })
        for axis in signature.sizes {
            for edge in rows.contains(axis.name) ? usual + large : usual {
                let state = generator.next()
                let tried = others.lazy.map { (sizes(of: kernel, axis.name, edge, $0.sizes, state), $0.work) }
                guard let (sizes, _) = tried.first(where: { K.work(at: $0) <= $1 }), !found.contains(sizes) else {
                    continue
                }
                found.append(sizes)
            }
        }
        return found
    }

    private static func sizes<K: Kernel>(
        of _: K.Type, _ axis: String, _ edge: Int, _ others: [Int], _ state: UInt64
    ) -> [String: Int] {
        var generator = SplitMix64(state: state)
        return K.sizes { size in
            let wanted = max(size.name == axis ? edge : others.randomElement(using: &generator) ?? 1, size.least)
            return (wanted + size.divisor - 1) / size.divisor * size.divisor
        }
    }
}
