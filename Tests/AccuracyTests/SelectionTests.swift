@testable import Accuracy
import KernelCatalog
import Kernels
import Tensors
import Testing

/// Which positions of a large call stand for the whole.
struct SelectionTests {
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 16, 30, 64], [1, 2, 3, 4, 5, 6, 7, 8, 17, 31, 64, 65, 1000])
    func picksKeepTheEnds(_ count: Int, of total: Int) {
        for seed in 0..<20 as Range<UInt64> {
            var generator = SplitMix64(state: seed)
            let picked = Selection.pick(count, of: total, using: &generator)
            #expect(picked.count == min(count, total))
            #expect(zip(picked, picked.dropFirst()).allSatisfy { $0 < $1 }, "\(picked)")
            #expect(picked.allSatisfy { (0..<total).contains($0) }, "\(picked)")
            #expect(count == 1 || picked.first == 0)
            #expect(count == 1 || picked.last == total - 1)
            // Blocks and tiles end there: a third of the picks are the first positions, and a third the last.
            let ends = min(count, total) / 3
            #expect(picked.prefix(ends) == Array(0..<ends)[...])
            #expect(picked.suffix(ends) == Array(total - ends..<total)[...])
        }
    }

    /// One alone is any, so that in time each is tried.
    @Test func onePickIsAny() {
        let picks = (0..<64 as Range<UInt64>).map { seed in
            var generator = SplitMix64(state: seed)
            return Selection.pick(1, of: 12, using: &generator)[0]
        }
        #expect(Set(picks) == Set(0..<12))
    }

    /// Between the ends blocks end at multiples of 64: some picks lie on either side of one.
    @Test func picksLieAtTheEdgesOfBlocks() {
        var generator = SplitMix64(state: 1)
        let middle = Selection.pick(60, of: 10_000, using: &generator).dropFirst(20).dropLast(20)
        #expect(middle.count { $0 % 64 == 0 } >= 3 && middle.count { $0 % 64 == 63 } >= 3)
        #expect(middle.count { ![0, 63].contains($0 % 64) } >= 5)
    }

    /// What lies between the ends is spread over all of it, and drawn.
    @Test func picksAreSpread() {
        let picks = (0..<8 as Range<UInt64>).map { seed in
            var generator = SplitMix64(state: seed)
            return Selection.pick(30, of: 10_030, using: &generator)
        }
        #expect(Set(picks).count == picks.count)
        for picked in picks {
            // Ten stretches of 1 001 between the ends.
            let gaps = zip(picked, picked.dropFirst()).map { $1 - $0 }
            #expect(gaps.allSatisfy { $0 <= 2 * 1001 }, "\(picked)")
        }
    }

    /// Some positions of each size that is independent for a result, and the whole of one.
    private func selection(of signature: Signature, seed: UInt64) -> Selection {
        var generator = SplitMix64(state: seed)
        let independent = signature.results.reduce(into: Set()) { $0.formUnion($1.independent) }
        var positions: [String: [Int]] = [:]
        for factor in signature.arguments.flatMap(\.axes).flatMap(\.factors) {
            guard let size = factor.size, independent.contains(size), positions[size] == nil else { continue }
            positions[size] = Selection.pick(
                Int.random(in: 1...factor.extent, using: &generator), of: factor.extent, using: &generator)
        }
        if positions.count > 1, let whole = positions.keys.sorted().randomElement(using: &generator) {
            positions[whole] = nil
        }
        return Selection(positions: positions)
    }

    /// Walks over all elements, taking their flat indices apart.
    private func gathered(_ axes: [Axis], _ selection: Selection) -> [Int] {
        let factors = axes.flatMap(\.factors)
        return (0..<factors.map(\.extent).reduce(1, *)).filter { flat in
            var rest = flat
            return factors.reversed().allSatisfy { factor in
                let position = rest % factor.extent
                rest /= factor.extent
                return factor.size.flatMap { selection.positions[$0] }?.contains(position) ?? true
            }
        }
    }

    @Test(arguments: KernelCatalog.standard.kernels.map { $0.name })
    func indicesAreThoseOfTheElements(_ name: KernelName) throws {
        let kernel = try #require(KernelCatalog.standard.kernels.first { $0.name == name })
        func open<K: Kernel<Float>>(_ kernel: K.Type) throws {
            for seed in 1...4 as ClosedRange<UInt64> {
                let sizes = DrawnCall(small: kernel, elements: 2000, seed: seed).sizes
                let signature = try K.signature(sizes: sizes)
                let selection = selection(of: signature, seed: seed)
                let part = try K.signature(sizes: selection.sizes(of: signature))
                for argument in signature.arguments {
                    let indices = Array(selection.indices(in: argument.axes))
                    #expect(indices == gathered(argument.axes, selection), "\(argument.name) at \(selection)")
                    // The part's own argument has just as many.
                    #expect(selection.axes(argument.axes).map(\.extent) == part[argument.name]?.shape)
                    #expect(part[argument.name]?.count == indices.count)
                }
            }
        }
        try open(kernel)
    }

    /// Of three stretches of two heads, the second head of each.
    @Test func headsOfAPackedRow() throws {
        let signature = try Attention.Forward<Double>.signature(sizes: ["B": 1, "T": 2, "C": 4, "NH": 2])
        let packed = try #require(signature["inp"])
        #expect(packed.axes.map(\.name) == ["B", "T", "3C"])
        let selection = Selection(positions: ["NH": [1]])
        #expect(Array(selection.indices(in: packed.axes)) == [2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23])
        #expect(selection.sizes(of: signature) == ["B": 1, "T": 2, "C": 2, "NH": 1])
        #expect(Array(selection.only(["B"]).indices(in: packed.axes)) == Array(0..<24))
    }

    @Test(arguments: [100, 10_000, 1_000_000])
    func partsKeepTheLimit(_ limit: Int) throws {
        typealias Matmul = Kernels.Matmul.Forward<Double>
        let whole = try Matmul.signature(sizes: ["B": 48, "T": 48, "C": 8, "OC": 96])
        let part = Selection.of(Matmul.self, whole, independent: ["B", "T", "OC"], limit: limit, seed: 1)
        #expect(part == Selection.of(Matmul.self, whole, independent: ["B", "T", "OC"], limit: limit, seed: 1))
        #expect(part.names.isSubset(of: ["B", "T", "OC"]) && !part.names.isEmpty)
        let sizes = part.sizes(of: whole)
        #expect(sizes["C"] == 8)
        for name in ["B", "T", "OC"] { #expect(sizes[name, default: 0] >= 1) }
        #expect(Matmul(sizes: sizes) { _ in nil }.cost.operations <= limit)
    }

    @Test func smallCallsAreWhole() throws {
        typealias Matmul = Kernels.Matmul.Forward<Double>
        let whole = try Matmul.signature(sizes: ["B": 2, "T": 3, "C": 4, "OC": 5])
        #expect(Selection.of(Matmul.self, whole, independent: ["B", "T", "OC"], limit: 1000, seed: 1) == Selection())
        // What is not independent stays whole however much work it is.
        #expect(Selection.of(Matmul.self, whole, independent: [], limit: 1, seed: 1) == Selection())
    }
}
