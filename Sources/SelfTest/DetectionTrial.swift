import Foundation
import KernelCatalog
import Kernels
import Reporting
import Tensors
import Verification

/// How surely drawn cases find a small error somewhere in a large product: a tile of the right answer is scaled, at a place
/// that is drawn anew each time, and the answer is judged.
struct DetectionTrial {
    /// Chooses inputs and places.
    let seed: UInt64
    /// How many calls, and how many places in the answer to each.
    var calls = 4
    var places = 150

    /// How far the tiles are off, and with which probability such a tile is to be found.
    var errors: [(error: Float, required: Double?)] = [(1e-2, 0.99), (1e-4, 0.99), (1e-5, nil)]

    private typealias Product = Matmul.Forward<Float>
    private static let (rows, columns, depth) = (256, 3072, 768)
    private static let tile = (rows: 12, columns: 32)

    /// Tries all.
    func run() -> [SelfTestReport.Detection] {
        var caught = [Int](repeating: 0, count: errors.count)
        var generator = SplitMix64(state: seed)
        let right = KernelSet(KernelCatalog.standard.implementations)
        for _ in 0..<calls {
            let sizes = ["B": 1, "T": Self.rows, "C": Self.depth, "OC": Self.columns]
            let trial = DrawnCases.Case(Product.self, sizes: sizes, seed: generator.next()).prepared()
            let answers = trial.answers(Product.self, by: right)
            // An answer that does not hold to begin with would make all others be found.
            guard let (name, whole) = answers.first, trial.holds(answers) else { continue }
            for (number, wrong) in errors.enumerated() {
                for _ in 0..<places {
                    let damaged = Self.damaged(whole, by: wrong.error, using: &generator)
                    if !trial.holds([name: damaged]) { caught[number] += 1 }
                }
            }
        }
        return errors.enumerated().map { number, wrong in
            SelfTestReport.Detection(
                what:
                    "a tile of \(Self.tile.rows) x \(Self.tile.columns) in a product of \(Self.rows) x \(Self.columns), "
                    + "K = \(Self.depth)",
                error: Double("\(wrong.error)") ?? 0, tried: calls * places, caught: caught[number],
                required: wrong.required)
        }
    }

    private static func damaged(_ right: [Float], by error: Float, using generator: inout SplitMix64) -> [Float] {
        var damaged = right
        let row = Int.random(in: 0...rows - tile.rows, using: &generator)
        let column = Int.random(in: 0...columns - tile.columns, using: &generator)
        for r in row..<row + tile.rows {
            for c in column..<column + tile.columns { damaged[r * columns + c] *= 1 + error }
        }
        return damaged
    }
}
