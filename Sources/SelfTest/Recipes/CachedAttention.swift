import Foundation
import Kernels
import Tensors

struct CachedAttentionForwardRecipe: Recipe {
    typealias Call = CachedAttention.Forward<Float>

    var arithmetic = Arithmetic()
    var sums = ExponentialSums()
    /// Whether the query is scaled before the inner product, and not the score after it.
    var scalesQuery = false
    /// Whether a row is multiplied by 1/sum, and not divided by it.
    var multiplies = false
    var scale: @Sendable (_ hs: Int, _ C: Int) -> Float = { hs, _ in 1 / Float(hs).squareRoot() }
    /// Where the key, and the value, of new token t is stored.
    var place: (key: @Sendable (_ t: Int, _ a: Call) -> Int, value: @Sendable (_ t: Int, _ a: Call) -> Int) = (
        { t, a in a.S + t }, { t, a in a.S + t }
    )
    /// The first and the last position that new token t sees.
    var first: @Sendable (_ a: Call) -> Int = { _ in 0 }
    var last: @Sendable (_ t: Int, _ a: Call) -> Int = { t, a in a.S + t }
    /// The parts of inp from which query, key and value are taken.
    var parts = (query: 0, key: 1, value: 2)
    var valuesAreKeys = false
    var sequence: @Sendable (_ b: Int) -> Int = { $0 }
    var normalizes = true

    mutating func choose(using generator: inout SplitMix64) {
        sums.choose(using: &generator)
        scalesQuery = Bool.random(using: &generator)
        multiplies = Bool.random(using: &generator)
    }

    func run(_ a: Call, _ workers: Workers) {
        let hs = a.C / a.NH
        let scale = scale(hs, a.C)
        workers.forEach(a.B * a.T) { row in
            let (b, t) = (row / a.T, row % a.T)
            for i in 0..<a.C {
                a.keyCache[(b * a.P + place.key(t, a)) * a.C + i] = a.inp[(row * 3 + parts.key) * a.C + i]
                a.valueCache[(b * a.P + place.value(t, a)) * a.C + i] = a.inp[(row * 3 + parts.value) * a.C + i]
            }
        }
        let values = valuesAreKeys ? a.keyCache : a.valueCache
        workers.forEach(a.B * a.T * a.NH) { index in
            let (row, h) = (index / a.NH, index % a.NH)
            let (b, t) = (row / a.T, row % a.T)
            let last = last(t, a)
            let first = min(first(a), last)
            func cached(_ position: Int, _ i: Int) -> Int { (sequence(b) * a.P + first + position) * a.C + h * hs + i }
            func query(_ i: Int) -> Float { a.inp[(row * 3 + parts.query) * a.C + h * hs + i] }
            let scores = (0...last - first).map { j -> Float in
                scalesQuery
                    ? arithmetic.dot(hs, { scale * query($0) }, { a.keyCache[cached(j, $0)] })
                    : scale * arithmetic.dot(hs, query, { a.keyCache[cached(j, $0)] })
            }
            let (_, sum, totals) = sums.take(scores, by: arithmetic, columns: hs) { values[cached($0, $1)] }
            for i in 0..<hs {
                a.out[row * a.C + h * hs + i] =
                    !normalizes ? totals[i] : multiplies ? totals[i] * (1 / sum) : totals[i] / sum
            }
        }
    }

    static let faults: [Change<Self>] = [
        Change("a missing 1/√hs") { $0.scale = { _, _ in 1 } },
        Change("1/√C for 1/√hs") { $0.scale = { _, C in 1 / Float(C).squareRoot() } },
        Change("a position too few") { $0.last = { t, a in max(a.S + t - 1, 0) } },
        Change("a position that is not in use") { $0.last = { t, a in min(a.S + t + 1, a.P - 1) } },
        Change("new tokens that see those after them") { $0.last = { _, a in a.S + a.T - 1 } },
        Change("the whole cache, used or not") { $0.last = { _, a in a.P - 1 } },
        Change("new positions alone") { $0.first = { $0.S } },
        Change("the first position forgotten") { $0.first = { _ in 1 } },
        Change("as if the cache were empty") {
            $0.place = ({ t, _ in t }, { t, _ in t })
            $0.last = { t, _ in t }
        },
        Change("keys a position late") { $0.place.key = { t, a in min(a.S + t + 1, a.P - 1) } },
        Change("values a position late") { $0.place.value = { t, a in min(a.S + t + 1, a.P - 1) } },
        Change("the new keys over the oldest") { $0.place.key = { t, _ in t } },
        Change("the cache of the first sequence") { $0.sequence = { _ in 0 } },
        Change("query and key swapped") { $0.parts = (1, 0, 2) },
        Change("keys for values") { $0.valuesAreKeys = true },
        Change("the maximum not taken off") { $0.sums.takesMaximum = false },
        Change("probabilities not divided by their sum") { $0.normalizes = false },
        Change("the rescaling forgotten when the maximum grows") {
            $0.sums.block = 1
            $0.sums.rescales = (false, false)
        },
    ]
}
