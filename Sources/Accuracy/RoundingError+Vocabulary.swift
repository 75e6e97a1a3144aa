import Foundation

/// Softmax and what follows it.
extension RoundingError {
    static func softmaxForward(_ x: CallValues) -> [String: [Double]] {
        let (V, Vp) = (x.size("V"), x.size("Vp"))
        let (logits, probs) = (x["logits"], x[truth: "probs"])
        var error = [Double](repeating: 0, count: probs.count)
        for start in stride(from: 0, to: probs.count, by: Vp) {
            let row = start..<start + V
            let maximum = row.reduce(-Double.infinity) { max($0, logits[$1]) }
            let sum = row.reduce(0) { $0 + probs[$1] * (2 * (maximum - logits[$1]) + E) } + Double(V - 1)
            for i in row { error[i] = max(probs[i] * (2 * (maximum - logits[i]) + E + sum + 2), flushed) }
        }
        return ["probs": error]
    }

    static func crossentropySoftmaxBackward(_ x: CallValues) -> [String: [Double]] {
        let (V, Vp) = (x.size("V"), x.size("Vp"))
        let (probs, dlosses, targets) = (x["probs"], x["dlosses"], x["targets"])
        let initial = x[initial: "dlogits"]
        return [
            "dlogits": x[truth: "dlogits"].enumerated().map { i, truth in
                let (row, v) = (i / Vp, i % Vp)
                guard v < V else { return 0 }
                let dloss = abs(dlosses[row])
                return 2 * probs[i] * dloss + abs(truth) + (v == Int(targets[row]) ? 2 * dloss + abs(initial[i]) : 0)
            }
        ]
    }

    /// A row's maximum, and the relative error of its sum of exponentials.
    private static func sum(_ logits: ArraySlice<Double>) -> (maximum: Double, sum: Double, error: Double) {
        let maximum = logits.max() ?? 0
        let (sum, error) = logits.reduce(into: (0.0, 0.0)) { sums, logit in
            let exponential = exp(logit - maximum)
            sums.0 += exponential
            sums.1 += exponential * (2 * (maximum - logit) + E)
        }
        return (maximum, sum, error / sum + Double(logits.count - 1))
    }

    static func classifierForward(_ x: CallValues) -> [String: [Double]] {
        let (V, Vp) = (x.size("V"), x.size("Vp"))
        let (logits, targets, losses) = (x["logits"], x["targets"], x[truth: "losses"])
        var errors = ["losses": [Double](), "lse": []]
        for (row, lse) in x[truth: "lse"].enumerated() {
            let row = (start: row * Vp, target: logits[row * Vp + Int(targets[row])], loss: losses[row])
            let (top, _, sum) = sum(logits[row.start..<row.start + V])
            let error = sum + 2 + E * (lse - top + 1) + abs(top) + abs(lse)
            errors["lse"]?.append(error)
            errors["losses"]?.append(error + abs(row.target) + 2 * (top - row.target) + (E + 1) * row.loss)
        }
        return errors
    }

    static func classifierBackward(_ x: CallValues) -> [String: [Double]] {
        let (V, Vp) = (x.size("V"), x.size("Vp"))
        let (logits, targets, dlosses) = (x["logits"], x["targets"], x["dlosses"])
        var error = [Double](repeating: 0, count: logits.count)
        for (row, lse) in x["lse"].enumerated() {
            let (top, _, sum) = sum(logits[row * Vp..<row * Vp + V])
            for v in 0..<V {
                let logit = logits[row * Vp + v]
                let p = abs(logit) + abs(lse) + 2 * abs(logit - lse) + 2 * (top - logit) + E + sum + 2
                error[row * Vp + v] =
                    (max(exp(logit - lse) * (p + 3), flushed) + (v == Int(targets[row]) ? 3 : 0)) * abs(dlosses[row])
            }
        }
        return ["dlogits": error]
    }
}
