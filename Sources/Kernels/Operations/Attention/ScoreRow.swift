import Foundation
import Tensors

/// One row of attention's scores in double: a query beside the keys that it sees, with their rounding errors.
///
/// With hs products in a score and E = ``RoundingError/elementary``, L keys, and d = max − p:
///
///     ε_p = (hs + 3)·Σ |q||k| / √hs          of a score p
///     x   = ε_p + 2·d + E                     of exp(−d), relative
///     s   = Σ att·x + L                       of the sum of all, relative
///
/// Results of exp below 2^-126 may be flushed to 0.
struct ScoreRow {
    /// The scores p and their errors ε_p.
    let scores, scoreErrors: [Double]
    /// The probabilities.
    let att: [Double]
    /// x of each, and s.
    let exponentialErrors: [Double]
    let sumError: Double
    /// The largest score, and the logarithm of the sum of exponentials.
    let maximum, lse: Double

    /// How many keys the query sees.
    var count: Int { scores.count }

    private let law: ErrorLaw

    /// The row of the query of `hs` numbers at `q` in `queries`, with the keys that begin at those places in `keys`.
    init(
        _ queries: View<Double>, at q: Int, _ keys: View<Double>, at places: ArraySlice<Int>, hs: Int, by law: ErrorLaw
    ) {
        let scale = 1 / Double(hs).squareRoot()
        var (scores, scoreErrors) = ([Double](), [Double]())
        for k in places {
            var (score, terms) = (0.0, 0.0)
            for i in 0..<hs {
                let product = queries[q + i] * keys[k + i]
                score += product
                terms += law.term(product, of: hs + 3)
            }
            scores.append(scale * score)
            scoreErrors.append(scale * law.sum(terms, of: hs + 3, total: score))
        }
        let maximum = scores.max() ?? 0
        var (sum, terms, byFunction) = (0.0, 0.0, 0.0)
        let powers = scores.map { exp($0 - maximum) }
        exponentialErrors = scores.indices.map { j in
            let (d, power, error) = (maximum - scores[j], powers[j], scoreErrors[j])
            sum += power
            terms += law.term(power, of: places.count, error: power * error)
            byFunction += power * (2 * d + RoundingError.elementary)
            return error + 2 * d + RoundingError.elementary
        }
        sumError = (byFunction + law.sum(terms, of: places.count, total: sum)) / sum
        (self.scores, self.scoreErrors, self.law) = (scores, scoreErrors, law)
        (self.maximum, lse) = (maximum, maximum + log(sum))
        att = powers.map { [sum] in $0 / sum }
    }

    /// Writes the error of out = Σ att·v into `errors` at `o`, where `out` holds the truth and the values begin at those
    /// places. The sum's error is common to a row:
    ///
    ///     ε out = Σ_j att_j·(x_j + L + 2)·|v_j| + s·|out|
    ///
    /// with att_j·x_j at least what may be flushed.
    func outErrors(
        into errors: MutableView<Double>, _ out: MutableView<Double>, at o: Int, _ values: View<Double>,
        at places: ArraySlice<Int>, hs: Int
    ) {
        for i in o..<o + hs { errors[i] = 0 }
        for (j, v) in places.enumerated() {
            let error = max(att[j] * exponentialErrors[j], RoundingError.flushed)
            law.addTerms(
                law.term(att[j], of: count + 2, error: error), times: values, at: v, count: hs, to: errors, at: o)
        }
        for i in o..<o + hs {
            errors[i] = law.sum(errors[i], of: count + 2, total: out[i]) + sumError * abs(out[i])
        }
    }

    /// The error of lse, by way of the sum or of the largest probability:
    ///
    ///     ε lse = ε_p + s + E + 2 + E·(lse − max) + |max| + |lse|
    var lseError: Double {
        let (E, top) = (RoundingError.elementary, scores.firstIndex(of: maximum) ?? 0)
        return scoreErrors[top] + sumError + E + 2 + E * (lse - maximum) + abs(maximum) + abs(lse)
    }
}

/// Where a token of a head finds its numbers in the packed (B, T, 3C) projection of attention.
struct PackedToken {
    /// Where its query starts.
    let q: Int
    /// Where its output starts, in (B, T, C).
    let o: Int
    /// Where its row of the (B, NH, T, T) matrix starts.
    let entries: Int
    /// The row's place in (B, NH, T).
    let row: Int
    /// Where the keys, and the values, of the tokens start that it sees.
    let keys, values: ArraySlice<Int>

    /// Visits every token of every head, in order.
    static func forEach(B: Int, T: Int, C: Int, NH: Int, _ body: (PackedToken) -> Void) {
        let hs = C / NH
        for head in 0..<B * NH {
            let (b, h) = (head / NH, head % NH)
            let queries = (0..<T).map { (b * T + $0) * 3 * C + h * hs }
            let (keys, values) = (queries.map { $0 + C }, queries.map { $0 + 2 * C })
            for t in 0..<T {
                let row = head * T + t
                body(
                    PackedToken(
                        q: queries[t], o: (b * T + t) * C + h * hs, entries: row * T, row: row, keys: keys[...t],
                        values: values[...t]))
            }
        }
    }

    /// Begins the sums of dinp's errors with what it held before: a query's is rounded once for each token that it sees, a
    /// key's and a value's once for each that sees it.
    static func beginSums(
        into errors: MutableView<Double>, from dinp: MutableView<Double>, T: Int, C: Int, by law: ErrorLaw
    ) {
        for i in 0..<dinp.count { errors[i] = law.term(dinp[i], of: additions(i, T: T, C: C)) }
    }

    /// Ends the sums of dinp's errors.
    static func endSums(
        in errors: MutableView<Double>, of dinp: MutableView<Double>, T: Int, C: Int, by law: ErrorLaw
    ) {
        for i in 0..<dinp.count { errors[i] = law.sum(errors[i], of: additions(i, T: T, C: C), total: dinp[i]) }
    }

    private static func additions(_ i: Int, T: Int, C: Int) -> Int {
        let t = i / (3 * C) % T
        return i % (3 * C) < C ? t + 1 : T - t
    }
}
