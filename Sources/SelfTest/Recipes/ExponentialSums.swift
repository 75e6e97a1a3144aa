import Foundation
import Tensors

/// Sums that are weighed by exp of a score, relative to the largest: the heart of every softmax, with its choices.
struct ExponentialSums: Sendable, CustomStringConvertible {
    /// How many scores are taken at a time, each time with the largest until then; nil takes all, in a second pass.
    var block: Int?
    var elementary = Elementary.exact
    var takesMaximum = true
    /// Whether what was summed before is rescaled when the maximum grows: the sum of the weights, and the others.
    var rescales = (sum: true, totals: true)

    mutating func choose(using generator: inout SplitMix64) {
        block = [nil, nil, 1, 4, 16, 64].randomElement(using: &generator) ?? nil
        elementary = .random(using: &generator)
    }

    var description: String { "\(block.map { "in blocks of \($0)" } ?? "at once"), exp \(elementary)" }

    /// The maximum, the sum of all weights exp(score − maximum), and Σ weight · value of each of so many columns.
    func take(
        _ scores: [Float], by arithmetic: Arithmetic, columns: Int = 0,
        _ value: (_ j: Int, _ column: Int) -> Float = { _, _ in 0 }
    ) -> (maximum: Float, sum: Float, totals: [Float]) {
        var (maximum, sum) = (-Float.infinity, Float(0))
        var totals = [Float](repeating: 0, count: columns)
        for start in stride(from: 0, to: scores.count, by: block ?? scores.count) {
            let scores = scores[start..<min(start + (block ?? scores.count), scores.count)]
            let grown = takesMaximum ? scores.reduce(maximum, max) : 0
            let factor = maximum == grown ? 1 : elementary.exp(maximum - grown)
            let weights = scores.map { elementary.exp($0 - grown) }
            sum = (rescales.sum ? sum * factor : sum) + arithmetic.sum(weights.count) { weights[$0] }
            for column in 0..<columns {
                let total = arithmetic.dot(weights.count, { weights[$0] }, { value(start + $0, column) })
                totals[column] =
                    rescales.totals ? arithmetic.multiplyAdd(totals[column], factor, total) : totals[column] + total
            }
            maximum = grown
        }
        return (maximum, sum, totals)
    }
}
