import Foundation
import Kernels
import Tensors

struct AttentionForwardRecipe: Recipe {
    typealias Call = Attention.Forward<Float>

    var arithmetic = Arithmetic()
    /// Whether the query is scaled before the inner product, and not the score after it.
    var scalesQuery = false
    /// Whether a row is multiplied by 1/sum, and not divided by it.
    var multiplies = false
    var elementary = Elementary.exact
    var scale: @Sendable (_ hs: Int, _ C: Int) -> Float = { hs, _ in 1 / Float(hs).squareRoot() }
    /// The last token that token t sees.
    var seen: @Sendable (_ t: Int, _ T: Int) -> Int = { t, _ in t }
    var takesMaximum = true
    /// The parts of inp from which query, key and value are taken, and the width of a row's heads.
    var parts = (query: 0, key: 1, value: 2)
    var interleaves = false
    var clearsAbove = true
    var normalizes = true

    mutating func choose(using generator: inout SplitMix64) {
        scalesQuery = Bool.random(using: &generator)
        multiplies = Bool.random(using: &generator)
        elementary = .random(using: &generator)
    }

    func run(_ a: Call, _ workers: Workers) {
        let hs = a.C / a.NH
        let scale = scale(hs, a.C)
        workers.forEach(a.B * a.NH * a.T) { index in
            let (b, h, t) = (index / (a.NH * a.T), index / a.T % a.NH, index % a.T)
            func at(_ t: Int, _ part: Int, _ i: Int) -> Float {
                let channel = interleaves ? i * a.NH + h : h * hs + i
                return a.inp[(b * a.T + t) * 3 * a.C + part * a.C + channel]
            }
            let row = ((b * a.NH + h) * a.T + t) * a.T
            let last = seen(t, a.T)
            var scores = (0...last).map { t2 -> Float in
                scalesQuery
                    ? arithmetic.dot(hs, { scale * at(t, parts.query, $0) }, { at(t2, parts.key, $0) })
                    : scale * arithmetic.dot(hs, { at(t, parts.query, $0) }, { at(t2, parts.key, $0) })
            }
            for t2 in 0...min(last, t) { a.preatt[row + t2] = scores[t2] }
            let maximum = takesMaximum ? scores.reduce(-.infinity, max) : 0
            for t2 in 0...last { scores[t2] = elementary.exp(scores[t2] - maximum) }
            let sum = normalizes ? arithmetic.sum(last + 1) { scores[$0] } : 1
            let reciprocal = 1 / sum
            for t2 in 0..<a.T {
                if t2 <= last {
                    scores[t2] = multiplies ? scores[t2] * reciprocal : scores[t2] / sum
                    a.att[row + t2] = scores[t2]
                } else if clearsAbove {
                    a.att[row + t2] = 0
                }
            }
            for i in 0..<hs {
                a.out[(b * a.T + t) * a.C + h * hs + i] = arithmetic.dot(
                    last + 1, { scores[$0] }, { at($0, parts.value, i) })
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
        Change("the maximum not taken off") { $0.takesMaximum = false },
        Change("query and key swapped") { $0.parts = (1, 0, 2) },
        Change("the key for the value") { $0.parts = (0, 1, 1) },
        Change("heads interleaved") { $0.interleaves = true },
        Change("att not cleared above the diagonal") { $0.clearsAbove = false },
        Change("probabilities not divided by their sum") { $0.normalizes = false },
    ]
}

/// A backward recipe whose sums are scaled by 1/√hs.
protocol ScaledSums: Recipe {
    /// Whether the scale is applied to each term, and not to the sum.
    var scalesTerms: Bool { get }
}

extension ScaledSums {
    /// 1/√hs
    static var root: @Sendable (Int) -> Float { { 1 / Float($0).squareRoot() } }

    /// Adds scale · Σ a·b to an element.
    func add(
        to dinp: MutableView<Float>, _ place: Int, _ count: Int, _ scale: Float, _ term: (Int) -> (Float, Float)
    ) {
        dinp[place] =
            scalesTerms || scale == 1
            ? arithmetic.dot(from: dinp[place], count, { scale * term($0).0 }, { term($0).1 })
            : dinp[place] + scale * arithmetic.dot(count, { term($0).0 }, { term($0).1 })
    }
}

struct AttentionBackwardRecipe: ScaledSums {
    typealias Call = Attention.Backward<Float>

    var arithmetic = Arithmetic()
    /// Whether the scale is applied to each term, and not to the sum.
    var scalesTerms = false
    var scale: (query: @Sendable (Int) -> Float, key: @Sendable (Int) -> Float) = (Self.root, Self.root)
    var expectationFactor: Float = 1
    var valueFactor: Float = 1
    /// The first token that counts for the gradient of token t2's key and value.
    var first: @Sendable (_ t2: Int, _ T: Int) -> Int = { t2, _ in t2 }
    var usesInitial = true
    var keyFromKey = false

    mutating func choose(using generator: inout SplitMix64) { scalesTerms = Bool.random(using: &generator) }

    func run(_ a: Call, _ workers: Workers) {
        let hs = a.C / a.NH
        let (queryScale, keyScale) = (scale.query(hs), scale.key(hs))
        workers.forEach(a.B * a.NH) { index in
            let (b, h) = (index / a.NH, index % a.NH)
            func offset(_ t: Int, _ part: Int) -> Int { (b * a.T + t) * 3 * a.C + part * a.C + h * hs }
            func dout(_ t: Int, _ i: Int) -> Float { a.dout[(b * a.T + t) * a.C + h * hs + i] }
            func entry(_ t: Int, _ t2: Int) -> Int { (index * a.T + t) * a.T + t2 }
            for t in 0..<a.T {
                for t2 in 0...t {
                    a.datt[entry(t, t2)] = arithmetic.dot(
                        from: usesInitial ? a.datt[entry(t, t2)] : 0, hs, { dout(t, $0) },
                        { a.inp[offset(t2, 2) + $0] })
                }
                let expectation =
                    expectationFactor
                    * arithmetic.dot(t + 1, { a.att[entry(t, $0)] }, { a.datt[entry(t, $0)] })
                for t2 in 0...t {
                    a.dpreatt[entry(t, t2)] = arithmetic.multiplyAdd(
                        a.att[entry(t, t2)], a.datt[entry(t, t2)] - expectation,
                        usesInitial ? a.dpreatt[entry(t, t2)] : 0)
                }
                for i in 0..<hs {
                    add(to: a.dinp, offset(t, 0) + i, t + 1, queryScale) {
                        (a.dpreatt[entry(t, $0)], a.inp[offset($0, 1) + i])
                    }
                }
            }
            for t2 in 0..<a.T {
                let first = first(t2, a.T)
                for i in 0..<hs {
                    add(to: a.dinp, offset(t2, 1) + i, a.T - first, keyScale) {
                        (a.dpreatt[entry(first + $0, t2)], a.inp[offset(first + $0, keyFromKey ? 1 : 0) + i])
                    }
                    add(to: a.dinp, offset(t2, 2) + i, a.T - first, valueFactor) {
                        (a.att[entry(first + $0, t2)], dout(first + $0, i))
                    }
                }
            }
        }
    }

    static let faults: [Change<Self>] = [
        Change("1/√hs missing in dq") { $0.scale.query = { _ in 1 } },
        Change("1/√hs missing in dk") { $0.scale.key = { _ in 1 } },
        Change("1/√hs twice in dq") { $0.scale.query = { 1 / Float($0) } },
        Change("Σ att · datt left out") { $0.expectationFactor = 0 },
        Change("Σ att · datt added") { $0.expectationFactor = -1 },
        Change("dv left out") { $0.valueFactor = 0 },
        Change("dk and dv start one token late") { $0.first = { t2, T in min(t2 + 1, T - 1) } },
        Change("dk from the keys") { $0.keyFromKey = true },
        Change("datt and dpreatt overwritten") { $0.usesInitial = false },
    ]
}
