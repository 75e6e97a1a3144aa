import Foundation
import Kernels

/// The rounding error ε of every element of a kernel's results, to first order and in units of u: the *Rounding* of its
/// contract, in double.
///
/// The fixtures' generator computes the same with PyTorch for its small cases; this is for shapes that no fixture has.
/// A test holds the two together.
public enum RoundingError {
    /// The errors of the results, by name; nil for a kernel whose contract is not known here.
    public static func of(_ kernel: KernelName, _ x: CallValues) -> [String: [Double]]? {
        switch kernel.description {
        case "encoder forward": ["out": x[truth: "out"].map { abs($0) }]
        case "encoder backward": encoderBackward(x)
        case "layernorm forward": layernormForward(x)
        case "layernorm backward": layernormBackward(x)
        case "matmul forward": matmulForward(x)
        case "matmul backward": matmulBackward(x)
        case "attention forward": attentionForward(x)
        case "attention backward": attentionBackward(x)
        case "flash_attention forward": flashAttentionForward(x)
        case "flash_attention backward": flashAttentionBackward(x)
        case "gelu forward": geluForward(x)
        case "gelu backward": geluBackward(x)
        case "residual forward", "residual backward": x.truth.mapValues { $0.map { abs($0) } }
        case "softmax forward": softmaxForward(x)
        case "crossentropy forward":
            ["losses": x[truth: "losses"].map { $0.isFinite ? (E + 1) * abs($0) : 0 }]
        case "crossentropy_softmax backward": crossentropySoftmaxBackward(x)
        case "classifier forward": classifierForward(x)
        case "classifier backward": classifierBackward(x)
        case "adamw update": adamwUpdate(x)
        default: nil
        }
    }

    /// The least gauge, ε over the number of roundings: the bound then covers gradual underflow, of 2^-150 a rounding.
    public static let leastGauge = 0x1p-126
    /// The least ε of what passes through exp, whose results below 2^-126 may be flushed to 0.
    static let flushed = 0x1p-102
    /// The roundings of one exp, tanh, log or power.
    static let E = Double(transcendentalRoundings)

    // MARK: - Embeddings

    private static func encoderBackward(_ x: CallValues) -> [String: [Double]] {
        let (B, C, T) = (x.size("B"), x.size("C"), x.size("T"))
        let (tokens, dout) = (x["inp"].map { Int($0) }, x["dout"])
        var dwte = x[initial: "dwte"].map { abs($0) }
        var dwpe = x[initial: "dwpe"].map { abs($0) }
        var addends = [Double](repeating: 0, count: x.size("V"))
        for (row, token) in tokens.enumerated() {
            addends[token] += 1
            for c in 0..<C {
                dwte[token * C + c] += abs(dout[row * C + c])
                dwpe[row % T * C + c] += abs(dout[row * C + c])
            }
        }
        // What no token and no position touches has to stay as it was: an error of 0.
        for i in dwte.indices { dwte[i] *= addends[i / C] }
        for i in dwpe.indices { dwpe[i] *= i / C < T ? Double(B) : 0 }
        return ["dwte": dwte, "dwpe": dwpe]
    }

    // MARK: - Linear layers

    private static func matmulForward(_ x: CallValues) -> [String: [Double]] {
        let (C, OC) = (x.size("C"), x.size("OC"))
        let bias = x.inputs["bias"]
        return [
            "out": productOfMagnitudes(
                x["inp"], rows: x.size("B") * x.size("T"), stride: (C, 1), x["weight"], columns: OC, stride: (1, C),
                depth: C, times: C + (bias == nil ? 0 : 1)
            ) { _, o in bias.map { abs($0[o]) } ?? 0 }
        ]
    }

    private static func matmulBackward(_ x: CallValues) -> [String: [Double]] {
        let (rows, C, OC) = (x.size("B") * x.size("T"), x.size("C"), x.size("OC"))
        let (dinp, dweight, dout) = (x[initial: "dinp"], x[initial: "dweight"], x["dout"])
        var errors = [
            "dinp": productOfMagnitudes(
                dout, rows: rows, stride: (OC, 1), x["weight"], columns: C, stride: (C, 1), depth: OC, times: OC + 1
            ) { abs(dinp[$0 * C + $1]) },
            "dweight": productOfMagnitudes(
                dout, rows: OC, stride: (1, OC), x["inp"], columns: C, stride: (C, 1), depth: rows, times: rows + 1
            ) { abs(dweight[$0 * C + $1]) },
        ]
        if x.truth["dbias"] != nil {
            let dbias = x[initial: "dbias"]
            errors["dbias"] = (0..<OC).map { o in
                Double(rows) * (0..<rows).reduce(abs(dbias[o])) { $0 + abs(dout[$1 * OC + o]) }
            }
        }
        return errors
    }

    /// times · (start + Σ_k |a[i,k]|·|b[k,j]|), where strides lead from row to row and from column to column.
    private static func productOfMagnitudes(
        _ a: [Double], rows: Int, stride aStride: (Int, Int), _ b: [Double], columns: Int, stride bStride: (Int, Int),
        depth: Int, times: Int, start: (Int, Int) -> Double
    ) -> [Double] {
        var product = [Double](repeating: 0, count: rows * columns)
        for i in 0..<rows {
            for j in 0..<columns {
                var sum = start(i, j)
                for k in 0..<depth {
                    sum += abs(a[i * aStride.0 + k * aStride.1]) * abs(b[k * bStride.0 + j * bStride.1])
                }
                product[i * columns + j] = Double(times) * sum
            }
        }
        return product
    }

    // MARK: - Layer norm

    private static func layernormForward(_ x: CallValues) -> [String: [Double]] {
        let C = x.size("C")
        let n = Double(C)
        let (inp, weight, bias, truth) = (x["inp"], x["weight"], x["bias"], x[truth: "out"])
        var (out, means, rstds) = ([Double](repeating: 0, count: inp.count), [Double](), [Double]())
        for (row, (mean, rstd)) in zip(x[truth: "mean"], x[truth: "rstd"]).enumerated() {
            let elements = row * C..<(row + 1) * C
            let M = (n + 1) * elements.reduce(0) { $0 + abs(inp[$1]) } / n
            let deviation = (elements.reduce(0) { $0 + (inp[$1] - mean) * (inp[$1] - mean) } / n).squareRoot()
            let S = M * rstd
            let R = n / 2 + 7 + deviation * rstd * S / 2 + Float.unitRoundoff * S * S / 2
            means.append(M)
            rstds.append(rstd * R)
            for i in elements {
                let (norm, N) = (abs(inp[i] - mean) * rstd, (abs(inp[i]) + abs(mean)) * rstd)
                out[i] = abs(weight[i % C]) * (S + 2 * N + (R + 3) * norm) + abs(bias[i % C]) + abs(truth[i])
            }
        }
        return ["out": out, "mean": means, "rstd": rstds]
    }

    private static func layernormBackward(_ x: CallValues) -> [String: [Double]] {
        let (C, rows) = (x.size("C"), Double(x.size("B") * x.size("T")))
        let n = Double(C)
        let (inp, weight, dout) = (x["inp"], x["weight"], x["dout"])
        var dinp = x[truth: "dinp"].map { abs($0) }
        var dweight = x[initial: "dweight"].map { (rows + 1) * abs($0) }
        var dbias = x[initial: "dbias"].map { rows * abs($0) }
        for (row, (mean, rstd)) in zip(x["mean"], x["rstd"]).enumerated() {
            let elements = row * C..<(row + 1) * C
            let N = elements.map { (abs(inp[$0]) + abs(mean)) * rstd }
            let g = elements.map { abs(weight[$0 % C] * dout[$0]) }
            let gMean = g.reduce(0, +) / n
            let gNMean = zip(g, N).reduce(0) { $0 + $1.0 * $1.1 } / n
            for c in 0..<C {
                let (i, d) = (row * C + c, abs(dout[row * C + c]))
                let norm = abs(inp[i] - mean) * rstd
                dinp[i] += rstd * (5 * g[c] + (n + 8) * gMean + (n + 10) * N[c] * gNMean)
                dweight[c] += (rows + 1) * d * norm + d * (N[c] + norm)
                dbias[c] += rows * d
            }
        }
        return ["dinp": dinp, "dweight": dweight, "dbias": dbias]
    }

    // MARK: - GELU

    /// The curve at x: tanh s, sech² s, s′, and the errors of tanh s by its evaluation and by that of s.
    private static func curve(
        _ x: Double
    ) -> (tanh: Double, sech2: Double, slope: Double, byTanh: Double, byS: Double) {
        let s = GELU.scale * (x + GELU.cubic * x * x * x)
        let (tanhS, coshS) = (tanh(s), cosh(min(max(s, -300), 300)))
        let sech2 = 1 / (coshS * coshS)
        let magnitude = min(abs(tanhS), 1 - 0x1p-25)
        let ulps = 4 * (magnitude == 0 ? 1 : 2 * magnitude.binade)
        let cubic = GELU.cubic * x * x / (1 + GELU.cubic * x * x)
        return (
            tanhS, sech2, GELU.scale * (1 + 3 * GELU.cubic * x * x), max(ulps, 4 * sech2 + 3 - tanhS),
            abs(s) > 300 ? 0 : (3 + 4 * cubic) * abs(s) * sech2
        )
    }

    private static func geluForward(_ x: CallValues) -> [String: [Double]] {
        let out = zip(x["inp"], x[truth: "out"]).map { inp, out in
            let at = curve(inp)
            return abs(inp) / 2 * (at.byTanh + at.byS) + 2 * abs(out)
        }
        return ["out": out]
    }

    private static func geluBackward(_ x: CallValues) -> [String: [Double]] {
        let dout = x["dout"]
        let dinp = zip(x["inp"], x[truth: "dinp"]).enumerated().map { i, pair in
            let (inp, dinp) = pair
            let at = curve(inp)
            let bySech2 = max(
                2 * abs(at.tanh) * at.byTanh + at.tanh * at.tanh + at.sech2, (2 * E + 4) * at.sech2)
            let grows = 3 * GELU.cubic * inp * inp / (1 + 3 * GELU.cubic * inp * inp)
            let derivative = (1 + at.tanh + inp * at.slope * at.sech2) / 2
            let second =
                abs(inp) / 2 * at.slope * (bySech2 + 2 * abs(at.tanh) * at.byS + (5 + 3 * grows) * at.sech2)
            let error = (at.byTanh + at.byS + 1 + at.tanh) / 2 + second + 2 * abs(derivative)
            return abs(dout[i]) * error + abs(dinp)
        }
        return ["dinp": dinp]
    }

    // MARK: - AdamW

    private static func adamwUpdate(_ x: CallValues) -> [String: [Double]] {
        let h = x.hyperparameters
        let (lr, beta1, beta2) = (Double(h.learningRate), Double(h.beta1), Double(h.beta2))
        let (decay, eps) = (Double(h.weightDecay), Double(h.eps))
        let (power1, power2) = (pow(beta1, Double(x.size("t"))), pow(beta2, Double(x.size("t"))))
        let (k1, k2) = (power1 / (1 - power1), power2 / (1 - power2))
        let (w1, w2) = (1 - beta1, 1 - beta2)
        let (grads, m, v, params) = (x["grads"], x[truth: "m"], x[truth: "v"], x[truth: "params"])
        let (startM, startV, start) = (x[initial: "m"], x[initial: "v"], x[initial: "params"])
        var errors = ["params": [Double](), "m": [], "v": []]
        for i in grads.indices {
            let g = abs(grads[i])
            let errorM = abs(m[i]) + max(beta1, 3 * w1) * abs(startM[i]) + 3 * w1 * g
            let errorV = v[i] + max(beta2, 3 * w2) * startV[i] + 4 * w2 * g * g
            let root = (v[i] / (1 - power2)).squareRoot()
            let rate = lr / (1 - power1) / (root + eps)
            let byRoot = root / (root + eps) * ((v[i] == 0 ? 0 : errorV / v[i]) + E * k2) / 2
            errors["m"]?.append(errorM)
            errors["v"]?.append(errorV)
            errors["params"]?.append(
                abs(params[i]) + (2 + 3 * lr * decay) * abs(start[i]) + rate * errorM
                    + rate * abs(m[i]) * (12 + E * k1 + byRoot))
        }
        return errors
    }
}
