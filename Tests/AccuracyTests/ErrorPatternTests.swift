import Accuracy
import Kernels
import Testing

/// What the errors of a tensor have in common, in words.
struct ErrorPatternTests {
    /// A tensor with errors, and the words for them.
    struct Example: CustomTestStringConvertible, Sendable {
        let words: String?
        var shape = [4, 6, 10]
        var sizes: [String: Int] = [:]
        var coverage = Coverage.all
        var isAccumulator = false
        /// The answer in place of the truth at the flat index.
        let wrong: @Sendable (Tensor, Int) -> Double
        var testDescription: String { words ?? "none" }
    }

    /// What the tensor should hold, and held before.
    struct Tensor: Sendable {
        let truth, initial: [Double]

        init(count: Int) {
            let draws = (Draw("truth", seed: 1), Draw("initial", seed: 1))
            truth = (0..<count).map { Double(draws.0.number($0, .wide)) }
            initial = (0..<count).map { Double(draws.1.number($0, .wide)) }
        }
    }

    /// The truth, but off by some amount that is no pattern where `isWrong`.
    private static func off(_ isWrong: @escaping @Sendable (Int) -> Bool) -> @Sendable (Tensor, Int) -> Double {
        { $0.truth[$1] + (isWrong($1) ? 0.1 + 0.01 * Double($1 * $1 % 17) : 0) }
    }

    static let places = [
        Example(words: nil) { $0.truth[$1] },
        Example(words: "every element", wrong: off { _ in true }),
        Example(words: "the only element", shape: [1], wrong: off { _ in true }),
        Example(words: "one element of 240", wrong: off { $0 == 77 }),
        Example(words: "nearly every element", wrong: off { $0 % 60 != 3 }),
        Example(words: "80 of 240 elements (34 %)", wrong: off { $0 % 3 == 0 }),
        Example(words: "one row, [1, 2]", wrong: off { (80..<90).contains($0) }),
        Example(words: "batch entry 2", wrong: off { $0 / 60 == 2 }),
        Example(words: "batch entry 3, the last", wrong: off { $0 / 60 == 3 }),
        Example(words: "position 4", wrong: off { $0 / 10 % 6 == 4 }),
        Example(words: "column 0", wrong: off { $0 % 10 == 0 }),
        Example(words: "column 9, the last", wrong: off { $0 % 10 == 9 }),
        Example(words: "the last partial vector of 4, elements 8…9", wrong: off { $0 % 10 >= 8 }),
        Example(words: "the last partial vector of 16, elements 16…29", shape: [8, 30], wrong: off { $0 % 30 >= 16 }),
        Example(words: "row 5", shape: [8, 1], wrong: off { $0 == 5 }),
        // Two rows of one batch entry are no pattern of that entry.
        Example(words: "20 of 240 elements (9 %)", wrong: off { (60..<80).contains($0) }),
        Example(
            words: "head 1", shape: [2, 3, 24], sizes: ["NH": 4, "C": 8], wrong: off { $0 % 24 % 8 / 2 == 1 }),
        Example(
            words: "head 3, the last", shape: [2, 4, 5, 5], sizes: ["NH": 4, "C": 8],
            wrong: off { $0 / 25 % 4 == 3 }),
        Example(
            words: "the diagonal", shape: [2, 2, 5, 5], sizes: ["NH": 2, "C": 8],
            wrong: off { $0 % 5 == $0 / 5 % 5 }),
        Example(
            words: "above the diagonal", shape: [2, 2, 5, 5], sizes: ["NH": 2, "C": 8],
            wrong: off { $0 % 5 > $0 / 5 % 5 }),
        // What the contract does not speak of is no error.
        Example(
            words: nil, shape: [2, 2, 5, 5], sizes: ["NH": 2, "C": 8], coverage: .causal,
            wrong: off { $0 % 5 > $0 / 5 % 5 }),
        Example(
            words: "the padded columns", shape: [2, 3, 16], sizes: ["V": 13, "Vp": 16], wrong: off { $0 % 16 >= 13 }),
    ]

    static let values = [
        Example(words: "every element, never written, or NaN") { _, _ in .nan },
        Example(words: "one element of 240, never written, or NaN") { $1 == 9 ? .nan : $0.truth[$1] },
        Example(words: "every element, NaN or infinity among them") { $1 == 9 ? .infinity : $0.truth[$1] + 1 },
        Example(words: "every element, zero") { _, _ in 0 },
        Example(words: "every element, off by a constant factor −1 (-1.00)") { -$0.truth[$1] },
        Example(words: "every element, off by a constant factor 2 (2.00)") { 2 * $0.truth[$1] },
        Example(words: "every element, off by a constant factor 1.07") { 1.07 * $0.truth[$1] },
        Example(words: "every element, off by a constant factor √hs (1.41)", sizes: ["NH": 5, "C": 10]) {
            $0.truth[$1] * 2.squareRoot()
        },
        Example(words: "every element, off by a constant factor 1/T (0.167)", sizes: ["T": 6]) { $0.truth[$1] / 6 },
        Example(words: "every element, off by a constant factor C/(C − 1) (1.11)", sizes: ["C": 10]) {
            $0.truth[$1] * 10 / 9
        },
        Example(words: "position 4, off by a constant factor 1/2 (0.5)") {
            $1 / 10 % 6 == 4 ? $0.truth[$1] / 2 : $0.truth[$1]
        },
        Example(words: "216 of 240 elements (90 %), shifted by one to the right") {
            $1 % 10 == 0 ? $0.truth[$1] : $0.truth[$1 - 1]
        },
        Example(words: "216 of 240 elements (90 %), shifted by one to the left") {
            $1 % 10 == 9 ? $0.truth[$1] : $0.truth[$1 + 1]
        },
        Example(words: "every element, off by a constant 0.25") { $0.truth[$1] + 0.25 },
        Example(words: "every element, nothing was added", isAccumulator: true) { $0.initial[$1] },
        Example(words: "every element, overwritten, and not added to", isAccumulator: true) {
            $0.truth[$1] - $0.initial[$1]
        },
        Example(words: "every element, added twice", isAccumulator: true) { 2 * $0.truth[$1] - $0.initial[$1] },
        Example(words: "every element, off by a constant factor 1.07", isAccumulator: true) {
            $0.initial[$1] + 1.07 * ($0.truth[$1] - $0.initial[$1])
        },
        Example(words: "batch entry 1, nothing was added", isAccumulator: true) {
            $1 / 60 == 1 ? $0.initial[$1] : $0.truth[$1]
        },
    ]

    @Test(arguments: places + values)
    func words(_ example: Example) {
        let count = example.shape.reduce(1, *)
        let tensor = Tensor(count: count)
        let pattern = ErrorPattern(
            actual: (0..<count).map { example.wrong(tensor, $0) }, truth: tensor.truth,
            bound: [Double](repeating: 1e-5, count: count), initial: example.isAccumulator ? tensor.initial : nil,
            shape: example.shape, coverage: example.coverage, sizes: example.sizes)
        #expect(pattern.description == example.words)
    }
}
