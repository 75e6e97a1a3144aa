import Foundation
import Kernels
import Tensors

struct FlashAttentionForwardRecipe: Recipe {
    typealias Call = FlashAttention.Forward<Float>

    var arithmetic = Arithmetic()
    var sums = ExponentialSums()
    /// Whether the query is scaled before the inner product, and not the score after it.
    var scalesQuery = false
    /// Whether a row is multiplied by 1/sum, and not divided by it.
    var multiplies = false
    var scale: @Sendable (_ hs: Int, _ C: Int) -> Float = { hs, _ in 1 / Float(hs).squareRoot() }
    /// The last token that token t sees.
    var seen: @Sendable (_ t: Int, _ T: Int) -> Int = { t, _ in t }
    /// The parts of inp from which query, key and value are taken.
    var parts = (query: 0, key: 1, value: 2)
    var interleaves = false
    var addsMaximum = true
    /// Another function in place of the logarithm.
    var logarithm: (@Sendable (Float) -> Float)?
    var normalizes = true

    mutating func choose(using generator: inout SplitMix64) {
        sums.choose(using: &generator)
        scalesQuery = Bool.random(using: &generator)
        multiplies = Bool.random(using: &generator)
    }

    func run(_ a: Call, _ workers: Workers) {
        let hs = a.C / a.NH
        let scale = scale(hs, a.C)
        workers.forEach(a.B * a.NH * a.T) { row in
            let (b, h, t) = (row / (a.NH * a.T), row / a.T % a.NH, row % a.T)
            func at(_ t: Int, _ part: Int, _ i: Int) -> Float {
                let channel = interleaves ? i * a.NH + h : h * hs + i
                return a.inp[(b * a.T + t) * 3 * a.C + part * a.C + channel]
            }
            let scores = (0...seen(t, a.T)).map { t2 -> Float in
                scalesQuery
                    ? arithmetic.dot(hs, { scale * at(t, parts.query, $0) }, { at(t2, parts.key, $0) })
                    : scale * arithmetic.dot(hs, { at(t, parts.query, $0) }, { at(t2, parts.key, $0) })
            }
            let (maximum, sum, totals) = sums.take(scores, by: arithmetic, columns: hs) { at($0, parts.value, $1) }
            a.lse[row] = (addsMaximum ? maximum : 0) + (logarithm?(sum) ?? sums.elementary.log(sum))
            for i in 0..<hs {
                a.out[(b * a.T + t) * a.C + h * hs + i] =
                    !normalizes ? totals[i] : multiplies ? totals[i] * (1 / sum) : totals[i] / sum
            }
        }
    }

    static let faults: [Change<Self>] = [
        Change("a missing 1/√hs") { $0.scale = { _, _ in 1 } },
        Change("1/hs for 1/√hs") { $0.scale = { hs, _ in 1 / Float(hs) } },
        Change("1/√C for 1/√hs") { $0.scale = { _, C in 1 / Float(C).squareRoot() } },
        Change("the causal mask off by one") { $0.seen = { t, T in min(t + 1, T - 1) } },
        Change("a token that does not see itself") { $0.seen = { t, _ in max(t - 1, 0) } },
        Change("no mask") { $0.seen = { _, T in T - 1 } },
        Change("the last partial block of 4 keys forgotten") { $0.seen = { t, _ in t < 4 ? t : (t + 1) / 4 * 4 - 1 } },
        Change("the maximum not taken off") { $0.sums.takesMaximum = false },
        Change("the rescaling forgotten when the maximum grows") {
            $0.sums.block = 4
            $0.sums.rescales = (false, false)
        },
        Change("the sum alone rescaled") {
            $0.sums.block = 4
            $0.sums.rescales.totals = false
        },
        Change("lse without the maximum") { $0.addsMaximum = false },
        Change("lse to base 2") { $0.logarithm = { log2($0) } },
        Change("the sum for its logarithm") { $0.logarithm = { $0 } },
        Change("query and key swapped") { $0.parts = (1, 0, 2) },
        Change("the key for the value") { $0.parts = (0, 1, 1) },
        Change("heads interleaved") { $0.interleaves = true },
        Change("probabilities not divided by their sum") { $0.normalizes = false },
    ]
}

struct FlashAttentionBackwardRecipe: ScaledSums {
    typealias Call = FlashAttention.Backward<Float>

    var arithmetic = Arithmetic()
    var sums = ExponentialSums()
    /// Whether probabilities are made by division, and not as exp(score − lse).
    var divides = false
    /// Whether D is Σ att·datt, and not Σ dout·out. That is for probabilities that add up to 1 as they are: exp(score − lse)
    /// of a rounded lse do not, and a model's gradient of keys' biases, which is 0, gets more than rounding errors.
    var takesExpectation = false
    /// Whether the scale is applied to each term, and not to the sum.
    var scalesTerms = false
    var scale: (score: @Sendable (Int) -> Float, query: @Sendable (Int) -> Float, key: @Sendable (Int) -> Float) =
        (Self.root, Self.root, Self.root)
    var expectationFactor: Float = 1
    var valueFactor: Float = 1
    var lseFactor: Float = 1
    /// The first token that counts for the gradient of token t2's key and value.
    var first: @Sendable (_ t2: Int, _ T: Int) -> Int = { t2, _ in t2 }
    var keyFromKey = false
    /// The part of inp that dout is multiplied with.
    var valuePart = 2

    mutating func choose(using generator: inout SplitMix64) {
        sums.choose(using: &generator)
        takesExpectation = Bool.random(using: &generator)
        divides = takesExpectation || Bool.random(using: &generator)
        scalesTerms = Bool.random(using: &generator)
    }

    func run(_ a: Call, _ workers: Workers) {
        let hs = a.C / a.NH
        let (scoreScale, queryScale, keyScale) = (scale.score(hs), scale.query(hs), scale.key(hs))
        workers.forEach(a.B * a.NH) { head in
            let (b, h) = (head / a.NH, head % a.NH)
            func inp(_ t: Int, _ part: Int) -> Int { ((b * a.T + t) * 3 + part) * a.C + h * hs }
            func out(_ t: Int) -> Int { (b * a.T + t) * a.C + h * hs }
            var (att, ds) = (ContiguousArray<[Float]>(), ContiguousArray<[Float]>())
            for t in 0..<a.T {
                let scores = (0...t).map { t2 in
                    scoreScale * arithmetic.dot(hs, { a.inp[inp(t, 0) + $0] }, { a.inp[inp(t2, 1) + $0] })
                }
                let (maximum, sum, _) = divides ? sums.take(scores, by: arithmetic) : (0, 0, [])
                let row = scores.map {
                    divides
                        ? sums.elementary.exp($0 - maximum) / sum
                        : sums.elementary.exp($0 - lseFactor * a.lse[head * a.T + t])
                }
                let datt = (0...t).map { t2 in
                    arithmetic.dot(hs, { a.dout[out(t) + $0] }, { a.inp[inp(t2, valuePart) + $0] })
                }
                let D =
                    expectationFactor
                    * (takesExpectation
                        ? arithmetic.dot(t + 1, { row[$0] }, { datt[$0] })
                        : arithmetic.dot(hs, { a.dout[out(t) + $0] }, { a.out[out(t) + $0] }))
                att.append(row)
                ds.append(zip(row, datt).map { $0 * ($1 - D) })
                for i in 0..<hs {
                    add(to: a.dinp, inp(t, 0) + i, t + 1, queryScale) { (ds[t][$0], a.inp[inp($0, 1) + i]) }
                }
            }
            for t2 in 0..<a.T {
                let first = first(t2, a.T)
                for i in 0..<hs {
                    add(to: a.dinp, inp(t2, 1) + i, a.T - first, keyScale) {
                        (ds[first + $0][min(t2, first + $0)], a.inp[inp(first + $0, keyFromKey ? 1 : 0) + i])
                    }
                    add(to: a.dinp, inp(t2, 2) + i, a.T - first, valueFactor) {
                        (att[first + $0][min(t2, first + $0)], a.dout[out(first + $0) + i])
                    }
                }
            }
        }
    }

    static let faults: [Change<Self>] = [
        Change("1/√hs missing in the scores") { $0.scale.score = { _ in 1 } },
        Change("1/√hs missing in dq") { $0.scale.query = { _ in 1 } },
        Change("1/√hs missing in dk") { $0.scale.key = { _ in 1 } },
        Change("1/√hs twice in dq") { $0.scale.query = { 1 / Float($0) } },
        Change("Σ dout · out left out") { $0.expectationFactor = 0 },
        Change("Σ dout · out added") { $0.expectationFactor = -1 },
        Change("lse left out") { $0.lseFactor = 0 },
        Change("lse of the wrong sign") { $0.lseFactor = -1 },
        Change("dv left out") { $0.valueFactor = 0 },
        Change("dk and dv start one token late") { $0.first = { t2, T in min(t2 + 1, T - 1) } },
        Change("dk from the keys") { $0.keyFromKey = true },
        Change("datt from the keys") { $0.valuePart = 1 },
    ]
}
