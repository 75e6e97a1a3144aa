import Foundation

/// Attention, with its matrices and without.
extension RoundingError {
    /// One row of scores: a token's query beside the keys that it sees.
    private struct Row {
        /// Where its query, its output and its entries of the (T, T) matrix start.
        let q, o, entries: Int
        /// The token, and the head's place in the batch.
        let t, head: Int
        /// Where the key of each token that it sees starts; its value is C further on.
        let keys: [Int]
        /// The scores and their errors.
        let scores, errors: [Double]
        /// The relative error of each exp(score − max), and of their sum.
        let exponentials: [Double]
        let sum: Double
        let maximum: Double
        /// The logarithm of the sum of exponentials.
        let lse: Double
    }

    /// Visits every row.
    private static func forEachRow(_ x: CallValues, _ body: (Row) -> Void) {
        let (B, T, C, NH) = (x.size("B"), x.size("T"), x.size("C"), x.size("NH"))
        let (hs, inp) = (C / NH, x["inp"])
        let scale = 1 / Double(hs).squareRoot()
        for head in 0..<B * NH {
            let (b, h) = (head / NH, head % NH)
            for t in 0..<T {
                let q = (b * T + t) * 3 * C + h * hs
                let keys = (0...t).map { (b * T + $0) * 3 * C + C + h * hs }
                let scores = keys.map { k in scale * (0..<hs).reduce(0) { $0 + inp[q + $1] * inp[k + $1] } }
                let errors = keys.map { k in
                    Double(hs + 3) * scale * (0..<hs).reduce(0) { $0 + abs(inp[q + $1] * inp[k + $1]) }
                }
                let maximum = scores.max() ?? 0
                let exponentials = zip(errors, scores).map { $0 + 2 * (maximum - $1) + E }
                let powers = scores.map { exp($0 - maximum) }
                let total = powers.reduce(0, +)
                let sum = zip(powers, exponentials).reduce(0) { $0 + $1.0 * $1.1 } / total + Double(t + 1)
                body(
                    Row(
                        q: q, o: (b * T + t) * C + h * hs, entries: (head * T + t) * T, t: t, head: head, keys: keys,
                        scores: scores, errors: errors, exponentials: exponentials, sum: sum, maximum: maximum,
                        lse: maximum + log(total)))
            }
        }
    }

    static func attentionForward(_ x: CallValues) -> [String: [Double]] {
        let (C, NH) = (x.size("C"), x.size("NH"))
        let (inp, truth) = (x["inp"], x[truth: "out"])
        var preatt = [Double](repeating: 0, count: x[truth: "preatt"].count)
        var att = [Double](repeating: 0, count: x[truth: "att"].count)
        var out = [Double](repeating: 0, count: truth.count)
        forEachRow(x) { row in
            let terms = Double(row.t + 1)
            for i in 0..<C / NH { out[row.o + i] = row.sum * abs(truth[row.o + i]) }
            for (t2, k) in row.keys.enumerated() {
                let p = exp(row.scores[t2] - row.lse)
                preatt[row.entries + t2] = row.errors[t2]
                att[row.entries + t2] = max(p * (row.exponentials[t2] + row.sum + 2), flushed)
                let weight = max(p * (row.exponentials[t2] + terms + 2), flushed)
                for i in 0..<C / NH { out[row.o + i] += weight * abs(inp[k + C + i]) }
            }
        }
        return ["out": out, "preatt": preatt, "att": att]
    }

    static func attentionBackward(_ x: CallValues) -> [String: [Double]] {
        let (T, C, NH) = (x.size("T"), x.size("C"), x.size("NH"))
        let (inp, att, dout) = (x["inp"], x["att"], x["dout"])
        let (datt, dpreatt) = (x[truth: "datt"].map { abs($0) }, x[truth: "dpreatt"].map { abs($0) })
        let (startDatt, startDpreatt) = (x[initial: "datt"], x[initial: "dpreatt"])
        var dinp = weighedStart(x)
        var errorDatt = [Double](repeating: 0, count: datt.count)
        var errorDpreatt = errorDatt
        let (hs, scale) = (C / NH, 1 / Double(C / NH).squareRoot())
        forEachRow(x) { row in
            let (seen, entries) = (Double(row.t + 1), row.entries..<row.entries + row.t + 1)
            for (entry, k) in zip(entries, row.keys) {
                let sum = (0..<hs).reduce(0) { $0 + abs(dout[row.o + $1] * inp[k + C + $1]) }
                errorDatt[entry] = Double(hs + 1) * (abs(startDatt[entry]) + sum)
            }
            let byErrors = entries.reduce(0) { $0 + att[$1] * errorDatt[$1] }
            let byValues = entries.reduce(0) { $0 + att[$1] * datt[$1] }
            for (t2, (entry, k)) in zip(entries, row.keys).enumerated() {
                let seeing = Double(T - t2)
                errorDpreatt[entry] =
                    seen * abs(startDpreatt[entry])
                    + att[entry] * (errorDatt[entry] + byErrors + (seen + 3) * (datt[entry] + byValues))
                let (error, value) = (errorDpreatt[entry], dpreatt[entry])
                for i in 0..<hs {
                    dinp[row.q + i] += scale * ((seen + 3) * value + error) * abs(inp[k + i])
                    dinp[k + i] += scale * ((seeing + 3) * value + error) * abs(inp[row.q + i])
                    dinp[k + C + i] += (seeing + 1) * att[entry] * abs(dout[row.o + i])
                }
            }
        }
        return ["dinp": dinp, "dpreatt": errorDpreatt, "datt": errorDatt]
    }

    /// The error that what dinp held before brings: a query's once for each token seen, a key's and a value's for each that
    /// sees it.
    private static func weighedStart(_ x: CallValues) -> [Double] {
        let (T, C) = (x.size("T"), x.size("C"))
        return x[initial: "dinp"].enumerated().map { i, start in
            let t = i / (3 * C) % T
            return Double(i % (3 * C) < C ? t + 1 : T - t) * abs(start)
        }
    }

    static func flashAttentionForward(_ x: CallValues) -> [String: [Double]] {
        let (C, NH) = (x.size("C"), x.size("NH"))
        let (inp, truth) = (x["inp"], x[truth: "out"])
        var lse = [Double](repeating: 0, count: x[truth: "lse"].count)
        var out = [Double](repeating: 0, count: truth.count)
        forEachRow(x) { row in
            let terms = Double(row.t + 1)
            let top = row.scores.firstIndex(of: row.maximum) ?? 0
            lse[row.head * x.size("T") + row.t] =
                row.errors[top] + row.sum + E + 2 + E * (row.lse - row.maximum) + abs(row.maximum) + abs(row.lse)
            for i in 0..<C / NH { out[row.o + i] = row.sum * abs(truth[row.o + i]) }
            for (t2, k) in row.keys.enumerated() {
                let weight = max(exp(row.scores[t2] - row.lse) * (row.exponentials[t2] + terms + 2), flushed)
                for i in 0..<C / NH { out[row.o + i] += weight * abs(inp[k + C + i]) }
            }
        }
        return ["out": out, "lse": lse]
    }

    static func flashAttentionBackward(_ x: CallValues) -> [String: [Double]] {
        let (T, C, NH) = (x.size("T"), x.size("C"), x.size("NH"))
        let (inp, dout, out, lses) = (x["inp"], x["dout"], x["out"], x["lse"])
        var dinp = weighedStart(x)
        let (hs, scale) = (C / NH, 1 / Double(C / NH).squareRoot())
        forEachRow(x) { row in
            let (seen, lse) = (Double(row.t + 1), lses[row.head * T + row.t])
            let att = row.scores.map { exp($0 - lse) }
            let datt = row.keys.map { k in (0..<hs).reduce(0) { $0 + dout[row.o + $1] * inp[k + C + $1] } }
            let errorDatt = row.keys.map { k in
                Double(hs) * (0..<hs).reduce(0) { $0 + abs(dout[row.o + $1] * inp[k + C + $1]) }
            }
            let errorAtt = row.scores.indices.map { t2 in
                let p = row.scores[t2]
                return row.exponentials[t2] + row.sum + abs(p) + abs(lse) + 2 * abs(p - lse) + 2
            }
            let D = (0..<hs).reduce(0) { $0 + dout[row.o + $1] * out[row.o + $1] }
            var errorD = Double(hs + 1) * (0..<hs).reduce(0) { $0 + abs(dout[row.o + $1] * out[row.o + $1]) }
            for t2 in att.indices {
                errorD += att[t2] * (errorAtt[t2] * abs(datt[t2]) + errorDatt[t2] + (seen + 3) * abs(datt[t2]))
            }
            for (t2, k) in row.keys.enumerated() {
                let seeing = Double(T - t2)
                let ds = abs(att[t2] * (datt[t2] - D))
                let error = att[t2] * ((errorAtt[t2] + 3) * (abs(datt[t2]) + abs(D)) + errorDatt[t2] + errorD)
                for i in 0..<hs {
                    dinp[row.q + i] += scale * (error + (seen + 3) * ds) * abs(inp[k + i])
                    dinp[k + i] += scale * (error + (seeing + 3) * ds) * abs(inp[row.q + i])
                    dinp[k + C + i] += att[t2] * (errorAtt[t2] + seeing + 1) * abs(dout[row.o + i])
                }
            }
        }
        return ["dinp": dinp]
    }
}
