import Foundation
import Tensors

/// The order in which a float sum is taken, and whether products are fused into it: what every right kernel is free to
/// choose.
struct Arithmetic: Sendable, CustomStringConvertible {
    /// In which order terms are added.
    enum Order: Sendable, Hashable {
        /// From first to last, or from last to first.
        case ascending, descending
        /// By halves, and halves of halves.
        case pairwise
        /// In blocks of so many, whose sums are then added.
        case blocked(Int)
        /// In so many interleaved sums, as vector registers do.
        case strided(Int)
        /// In an order of its own.
        case shuffled(UInt64)
    }

    /// The order of sums.
    var order = Order.ascending
    /// Whether a product is added with one rounding.
    var isFused = false
    /// Whether what a sum is added to is the first of its terms, and not added at the end.
    var startsFromInitial = false

    /// A choice at random.
    static func random(using generator: inout SplitMix64) -> Arithmetic {
        let order: Order =
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: .ascending
            case 1: .descending
            case 2: .pairwise
            case 3: .blocked([2, 4, 16, 64].randomElement(using: &generator) ?? 4)
            case 4: .strided([4, 8, 16, 32].randomElement(using: &generator) ?? 8)
            default: .shuffled(generator.next())
            }
        return Arithmetic(
            order: order, isFused: Bool.random(using: &generator), startsFromInitial: Bool.random(using: &generator))
    }

    var description: String {
        "\(order)\(isFused ? ", fused" : "")\(startsFromInitial ? ", from what was there" : "")"
    }

    /// The indices below `count` as the order visits them, and where its blocks end.
    private func visit(_ count: Int, _ body: (_ index: Int, _ endsBlock: Bool) -> Void) {
        switch order {
        case .ascending, .pairwise: for i in 0..<count { body(i, false) }
        case .descending: for i in (0..<count).reversed() { body(i, false) }
        case .blocked(let size): for i in 0..<count { body(i, (i + 1) % size == 0) }
        case .strided(let lanes):
            for lane in 0..<min(lanes, count) {
                for i in stride(from: lane, to: count, by: lanes) { body(i, i + lanes >= count) }
            }
        case .shuffled(let seed):
            var generator = SplitMix64(state: seed)
            for i in (0..<count).shuffled(using: &generator) { body(i, false) }
        }
    }

    /// The sum of `count` terms.
    func sum(_ count: Int, _ term: (Int) -> Float) -> Float { dot(count, term, { _ in 1 }) }

    /// The sum of `count` products.
    func dot(_ count: Int, _ a: (Int) -> Float, _ b: (Int) -> Float) -> Float {
        if order == .pairwise { return pairwise(0..<count, a, b) }
        var (total, block): (Float, Float) = (0, 0)
        visit(count) { i, endsBlock in
            block = isFused ? block.addingProduct(a(i), b(i)) : block + a(i) * b(i)
            if endsBlock { (total, block) = (total + block, 0) }
        }
        return total + block
    }

    /// The sum of `initial` and `count` products.
    func dot(from initial: Float, _ count: Int, _ a: (Int) -> Float, _ b: (Int) -> Float) -> Float {
        startsFromInitial
            ? dot(count + 1, { $0 == 0 ? initial : a($0 - 1) }, { $0 == 0 ? 1 : b($0 - 1) })
            : initial + dot(count, a, b)
    }

    /// The sum of `initial` and `count` terms.
    func sum(from initial: Float, _ count: Int, _ term: (Int) -> Float) -> Float {
        dot(from: initial, count, term, { _ in 1 })
    }

    private func pairwise(_ range: Range<Int>, _ a: (Int) -> Float, _ b: (Int) -> Float) -> Float {
        guard range.count > 2 else { return range.reduce(0) { $0 + a($1) * b($1) } }
        let middle = range.lowerBound + range.count / 2
        return pairwise(range.lowerBound..<middle, a, b) + pairwise(middle..<range.upperBound, a, b)
    }

    /// a·b + c, with one rounding or two.
    func multiplyAdd(_ a: Float, _ b: Float, _ c: Float) -> Float { isFused ? c.addingProduct(a, b) : a * b + c }
}
