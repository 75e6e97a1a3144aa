import Foundation
import Kernels
import Platform

/// What the errors of one failed tensor have in common, in words that point at the bug: which elements are wrong, and
/// what became of their values.
package struct ErrorPattern {
    private let shape: [Int]
    private let sizes: [String: Int]
    private let truth: [Double]
    private let actual: [Double]
    private let bound: [Double]
    private let initial: [Double]?
    /// The flat indices of the elements that the contract speaks of, and of those beyond their bound.
    private let covered: [Int]
    private let failing: [Int]

    /// The errors of `actual` against `truth`, in a tensor of `shape` of a call with those `sizes`; `initial` is what an
    /// accumulator held before.
    package init(
        actual: [Double], truth: [Double], bound: [Double], initial: [Double]?, shape: [Int], coverage: Coverage,
        sizes: [String: Int]
    ) {
        self.shape = shape
        self.sizes = sizes
        self.truth = truth
        self.actual = actual
        self.bound = bound
        self.initial = initial
        covered = actual.indices.filter { coverage.contains($0, shape: shape) }
        failing = covered.filter { !Self.isWithin(actual[$0], truth[$0], bound[$0]) }
    }

    /// The pattern, such as `every element, off by a constant factor 1.07`; nil where nothing failed.
    package var description: String? {
        guard !failing.isEmpty else { return nil }
        return [place, value].compactMap { $0 }.joined(separator: ", ")
    }

    private static func isWithin(_ x: Double, _ truth: Double, _ bound: Double) -> Bool {
        ErrorMeasure.fraction(ErrorMeasure.error(x, truth), of: bound) <= 1
    }

    // MARK: - Where

    private var place: String {
        let share = Double(failing.count) / Double(covered.count)
        if failing.count == covered.count { return covered.count == 1 ? "the only element" : "every element" }
        if let structure { return structure }
        if failing.count == 1 { return "one element of \(covered.count)" }
        return share > 0.9
            ? "nearly every element"
            : "\(failing.count) of \(covered.count) elements (\(Int((100 * share).rounded(.up))) %)"
    }

    /// The part of the tensor that holds all failing elements, and of whose elements most fail.
    private var structure: String? {
        guard let columns = shape.last, columns > 0 else { return nil }
        var candidates: [(name: String, contains: (Int) -> Bool)] = []
        func column(_ index: Int) -> Int { index % columns }
        func row(_ index: Int) -> Int { index / columns }

        if let V = sizes["V"], sizes["Vp"] == columns, V < columns {
            candidates.append(("the padded columns", { column($0) >= V }))
        }
        if shape.count >= 2, shape[shape.count - 2] == columns, columns > 1, sizes["NH"] != nil {
            candidates.append(("above the diagonal", { column($0) > row($0) % columns }))
            candidates.append(("the diagonal", { column($0) == row($0) % columns }))
        }
        let first = failing[0]
        if columns > 1, row(failing[failing.count - 1]) == row(first), failing.count > 1 {
            candidates.append(("one row, \(Formatting.index(Array(at(first).dropLast())))", { row($0) == row(first) }))
        }
        if let NH = sizes["NH"], let C = sizes["C"], NH > 1, columns % C == 0, shape.count == 3 {
            let hs = C / NH
            let head = column(first) % C / hs
            candidates.append(("head \(head)", { column($0) % C / hs == head }))
        }
        for (axis, extent) in shape.enumerated() where extent > 1 {
            let position = at(first)[axis]
            let name = name(ofAxis: axis)
            candidates.append(
                ("\(name) \(position)\(position == extent - 1 ? ", the last" : "")", { at($0)[axis] == position }))
        }
        for width in [4, 8, 16, 32] where columns > width && columns % width != 0 {
            let tail = columns / width * width
            candidates.append(
                ("the last partial vector of \(width), elements \(tail)…\(columns - 1)", { column($0) >= tail }))
        }
        let half = covered.count / 2
        return candidates.first { candidate in
            guard failing.allSatisfy(candidate.contains) else { return false }
            let members = covered.count(where: candidate.contains)
            return members <= half + 1 && 2 * failing.count > members
        }?.name
    }

    private func name(ofAxis axis: Int) -> String {
        switch (shape.count, axis) {
        case (4, 0), (3, 0): "batch entry"
        case (4, 1): "head"
        case (3, 1): "position"
        case (2, 0): "row"
        case (1, 0): "element"
        default: "column"
        }
    }

    private func at(_ flat: Int) -> [Int] { indices(of: flat, in: shape) }

    // MARK: - What

    private var value: String? {
        if failing.allSatisfy({ actual[$0].isNaN }) { return "never written, or NaN" }
        if failing.contains(where: { !actual[$0].isFinite }) { return "NaN or infinity among them" }
        if let initial {
            if matches({ initial[$0] }) { return "nothing was added" }
            if matches({ truth[$0] - initial[$0] }) { return "overwritten, and not added to" }
            if matches({ 2 * truth[$0] - initial[$0] }) { return "added twice" }
        }
        if let factor { return factor }
        if let columns = shape.last, columns > 1 {
            if matches({ $0 % columns == 0 ? nil : truth[$0 - 1] }) { return "shifted by one to the right" }
            if matches({ ($0 + 1) % columns == 0 ? nil : truth[$0 + 1] }) { return "shifted by one to the left" }
        }
        return offset
    }

    /// Whether the failing elements are what `other` says, within twice their bounds; nil says nothing of an element.
    private func matches(_ other: (Int) -> Double?) -> Bool {
        var spoken = 0
        for index in failing {
            guard let expected = other(index) else { continue }
            guard abs(actual[index] - expected) <= 2 * bound[index] else { return false }
            spoken += 1
        }
        return spoken >= min(2, covered.count)
    }

    /// The same multiple of the truth, or for accumulators of what is added to them.
    private var factor: String? {
        func part(_ values: [Double], _ index: Int) -> Double { values[index] - (initial?[index] ?? 0) }
        // A ratio says something where rounding is a small part of the value.
        let telling = failing.filter { truth[$0].isFinite && abs(part(truth, $0)) > 50 * bound[$0] }
        guard telling.count >= 2, 2 * telling.count >= failing.count else { return nil }
        let ratios = telling.map { part(actual, $0) / part(truth, $0) }.sorted()
        let ratio = ratios[ratios.count / 2]
        for index in telling {
            let tolerance = (2 + abs(ratio)) * bound[index] + 1e-3 * abs(part(truth, index) * (ratio - 1))
            guard abs(part(actual, index) - ratio * part(truth, index)) <= tolerance else { return nil }
        }
        let name = Self.name(ofFactor: ratio, sizes: sizes)
        if abs(ratio) < 1e-6 { return initial == nil ? "zero" : "nothing was added" }
        return "off by a constant factor \(name ?? Formatting.number(ratio))"
    }

    /// A factor in terms of the sizes, where it is one: `√hs`, `1/√hs`, `−1`, `1/T`.
    private static func name(ofFactor factor: Double, sizes: [String: Int]) -> String? {
        var known: [(String, Double)] = [("−1", -1), ("2", 2), ("1/2", 0.5)]
        if let NH = sizes["NH"], let C = sizes["C"], C > NH {
            let hs = Double(C / NH)
            known += [("√hs", hs.squareRoot()), ("1/√hs", 1 / hs.squareRoot()), ("hs", hs), ("1/hs", 1 / hs)]
        }
        for name in ["B", "T", "C", "OC", "V", "NH"] {
            guard let size = sizes[name].map(Double.init), size > 1 else { continue }
            known += [(name, size), ("1/\(name)", 1 / size), ("√\(name)", size.squareRoot())]
            known.append(("(\(name) − 1)/\(name)", (size - 1) / size))
            known.append(("\(name)/(\(name) − 1)", size / (size - 1)))
        }
        return known.first { abs(factor / $0.1 - 1) < 1e-3 }.map { "\($0.0) (\(Formatting.number($0.1)))" }
    }

    private var offset: String? {
        guard failing.count >= 3 else { return nil }
        let differences = failing.map { actual[$0] - truth[$0] }.sorted()
        let middle = differences[differences.count / 2]
        let isConstant = failing.allSatisfy { abs(actual[$0] - truth[$0] - middle) <= 2 * bound[$0] }
        return isConstant ? "off by a constant \(Formatting.number(middle))" : nil
    }
}
