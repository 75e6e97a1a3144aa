import Foundation
import Kernels
import Tensors

/// What a kernel read and what it should have written, in double.
public struct CallValues {
    /// The sizes, by name.
    public var sizes: [String: Int]
    /// AdamW's numbers.
    public var hyperparameters: AdamW.Hyperparameters
    /// The arguments that are only read; tokens as numbers.
    public var inputs: [String: [Double]]
    /// What accumulators held before.
    public var initial: [String: [Double]]
    /// The results.
    public var truth: [String: [Double]]

    /// Values as given.
    public init(
        sizes: [String: Int], hyperparameters: AdamW.Hyperparameters = AdamW.Hyperparameters(),
        inputs: [String: [Double]], initial: [String: [Double]], truth: [String: [Double]]
    ) {
        self.sizes = sizes
        self.hyperparameters = hyperparameters
        self.inputs = inputs
        self.initial = initial
        self.truth = truth
    }
}

/// The rounding-error scale of every element of a kernel's results: the *Rounding* of its contract, in double.
///
/// The fixtures' generator computes the same with PyTorch for its small cases; this is for shapes that no fixture has.
/// A test holds the two together.
public enum Gauge {
    /// The gauges of the results, by name; nil for a kernel whose contract is not known here.
    public static func of(_ kernel: KernelName, _ values: CallValues) -> [String: [Double]]? {
        let x = values
        switch kernel.description {
        case "encoder forward": return encoderForward(x)
        case "encoder backward": return encoderBackward(x)
        case "layernorm forward": return layernormForward(x)
        case "layernorm backward": return layernormBackward(x)
        case "matmul forward": return matmulForward(x)
        case "matmul backward": return matmulBackward(x)
        case "attention forward": return attentionForward(x)
        case "attention backward": return attentionBackward(x)
        case "gelu forward": return geluForward(x)
        case "gelu backward": return geluBackward(x)
        case "residual forward": return ["out": map2(x["inp1"], x["inp2"]) { abs($0) + abs($1) }]
        case "residual backward":
            return ["dinp1", "dinp2"].reduce(into: [:]) {
                $0[$1] = map2(x[initial: $1], x["dout"]) { abs($0) + abs($1) }
            }
        case "softmax forward": return softmaxForward(x)
        case "crossentropy forward": return ["losses": x[truth: "losses"].map { $0.isFinite ? abs($0) : 0 }]
        case "crossentropy_softmax backward": return crossentropySoftmaxBackward(x)
        case "adamw update": return adamwUpdate(x)
        default: return nil
        }
    }

    /// The least gauge: the bound then covers gradual underflow, of 2^-150 a rounding.
    public static let smallest = 0x1p-126
    /// The least gauge of what passes through exp, whose results below 2^-126 may be flushed to 0.
    private static let flushed = 0x1p-102

    // MARK: - Sums of magnitudes

    private static func encoderForward(_ x: CallValues) -> [String: [Double]] {
        let (C, T) = (x.size("C"), x.size("T"))
        let (tokens, wte, wpe) = (x["inp"], x["wte"], x["wpe"])
        return [
            "out": (0..<tokens.count * C).map { i in
                let (row, c) = (i / C, i % C)
                return abs(wte[Int(tokens[row]) * C + c]) + abs(wpe[row % T * C + c])
            }
        ]
    }

    private static func encoderBackward(_ x: CallValues) -> [String: [Double]] {
        let (C, T) = (x.size("C"), x.size("T"))
        let (tokens, dout) = (x["inp"], x["dout"])
        // What no token and no position touches has to stay as it was: a gauge of 0.
        let initial = (dwte: x[initial: "dwte"], dwpe: x[initial: "dwpe"])
        var dwte = [Double](repeating: 0, count: initial.dwte.count)
        var dwpe = [Double](repeating: 0, count: initial.dwpe.count)
        for row in tokens.indices {
            for c in 0..<C {
                let (token, position) = (Int(tokens[row]) * C + c, row % T * C + c)
                if dwte[token] == 0 { dwte[token] = abs(initial.dwte[token]) }
                if dwpe[position] == 0 { dwpe[position] = abs(initial.dwpe[position]) }
                dwte[token] += abs(dout[row * C + c])
                dwpe[position] += abs(dout[row * C + c])
            }
        }
        return ["dwte": dwte, "dwpe": dwpe]
    }

    private static func matmulForward(_ x: CallValues) -> [String: [Double]] {
        let (C, OC) = (x.size("C"), x.size("OC"))
        let bias = x.inputs["bias"]
        return [
            "out": productOfMagnitudes(
                x["inp"], rows: x.size("B") * x.size("T"), stride: (C, 1), x["weight"], columns: OC, stride: (1, C),
                depth: C
            ) { _, o in bias.map { abs($0[o]) } ?? 0 }
        ]
    }

    private static func matmulBackward(_ x: CallValues) -> [String: [Double]] {
        let (rows, C, OC) = (x.size("B") * x.size("T"), x.size("C"), x.size("OC"))
        let (dinp, dweight) = (x[initial: "dinp"], x[initial: "dweight"])
        var gauges = [
            "dinp": productOfMagnitudes(
                x["dout"], rows: rows, stride: (OC, 1), x["weight"], columns: C, stride: (C, 1), depth: OC
            ) { abs(dinp[$0 * C + $1]) },
            "dweight": productOfMagnitudes(
                x["dout"], rows: OC, stride: (1, OC), x["inp"], columns: C, stride: (C, 1), depth: rows
            ) { abs(dweight[$0 * C + $1]) },
        ]
        if let dbias = x.initial["dbias"] {
            let dout = x["dout"]
            gauges["dbias"] = (0..<OC).map { o in (0..<rows).reduce(abs(dbias[o])) { $0 + abs(dout[$1 * OC + o]) } }
        }
        return gauges
    }

    /// start + Σ_k |a[i,k]|·|b[k,j]|, where strides lead from row to row and from column to column.
    private static func productOfMagnitudes(
        _ a: [Double], rows: Int, stride aStride: (Int, Int), _ b: [Double], columns: Int, stride bStride: (Int, Int),
        depth: Int, start: (Int, Int) -> Double
    ) -> [Double] {
        var product = [Double](repeating: 0, count: rows * columns)
        for i in 0..<rows {
            for j in 0..<columns {
                var sum = start(i, j)
                for k in 0..<depth {
                    sum += abs(a[i * aStride.0 + k * aStride.1]) * abs(b[k * bStride.0 + j * bStride.1])
                }
                product[i * columns + j] = sum
            }
        }
        return product
    }

    // MARK: - Layer norm

    private static func layernormForward(_ x: CallValues) -> [String: [Double]] {
        let C = x.size("C")
        let (inp, weight, bias) = (x["inp"], x["weight"], x["bias"])
        let (means, rstds) = (x[truth: "mean"], x[truth: "rstd"])
        var gauges = ["out": [Double](repeating: 0, count: inp.count), "mean": [], "rstd": []]
        for (row, (mean, rstd)) in zip(means, rstds).enumerated() {
            let elements = row * C..<(row + 1) * C
            let A = elements.reduce(0) { $0 + abs(inp[$1]) } / Double(C)
            let K = Double(C) * Float.unitRoundoff * A * A * rstd * rstd
            gauges["mean"]?.append(A)
            gauges["rstd"]?.append(rstd * (1 + K))
            for i in elements {
                let N = (abs(inp[i]) + abs(mean)) * rstd
                let norm = abs(inp[i] - mean) * rstd
                gauges["out"]?[i] = abs(weight[i % C]) * (rstd * A + N + norm * (1 + K)) + abs(bias[i % C])
            }
        }
        return gauges
    }

    private static func layernormBackward(_ x: CallValues) -> [String: [Double]] {
        let C = x.size("C")
        let (inp, weight, dout) = (x["inp"], x["weight"], x["dout"])
        var dinp = x[initial: "dinp"].map { abs($0) }
        var dweight = x[initial: "dweight"].map { abs($0) }
        var dbias = x[initial: "dbias"].map { abs($0) }
        for (row, (mean, rstd)) in zip(x["mean"], x["rstd"]).enumerated() {
            let elements = row * C..<(row + 1) * C
            let N = elements.map { (abs(inp[$0]) + abs(mean)) * rstd }
            let g = elements.map { abs(weight[$0 % C] * dout[$0]) }
            let gMean = g.reduce(0, +) / Double(C)
            let gNMean = zip(g, N).reduce(0) { $0 + $1.0 * $1.1 } / Double(C)
            for c in 0..<C {
                dinp[row * C + c] += rstd * (g[c] + gMean + N[c] * gNMean)
                dweight[c] += abs(dout[row * C + c]) * N[c]
                dbias[c] += abs(dout[row * C + c])
            }
        }
        return ["dinp": dinp, "dweight": dweight, "dbias": dbias]
    }

    // MARK: - GELU

    /// |s|·sech² s, the slope of s, for s = √(2/π)·(x + 0.044715·x³).
    private static func gelu(_ x: Double) -> (passed: Double, slope: Double) {
        let s = abs(GELU.scale * (x + GELU.cubic * x * x * x))
        let sech = 1 / cosh(min(s, 300))
        return (s > 300 ? 0 : s * sech * sech, GELU.scale * (1 + 3 * GELU.cubic * x * x))
    }

    private static func geluForward(_ x: CallValues) -> [String: [Double]] {
        ["out": x["inp"].map { 0.5 * abs($0) * (2 + gelu($0).passed) }]
    }

    private static func geluBackward(_ x: CallValues) -> [String: [Double]] {
        let (inp, dout) = (x["inp"], x["dout"])
        let gradient = map2(inp, dout) { inp, dout in
            let (passed, slope) = gelu(inp)
            return abs(dout) * (1 + passed + 0.5 * abs(inp) * slope * (1 + 2 * passed))
        }
        return ["dinp": map2(x[initial: "dinp"], gradient) { abs($0) + $1 }]
    }

    // MARK: - Softmax and attention

    private static func softmaxForward(_ x: CallValues) -> [String: [Double]] {
        let (V, Vp) = (x.size("V"), x.size("Vp"))
        let (logits, probs) = (x["logits"], x[truth: "probs"])
        var gauge = [Double](repeating: 0, count: probs.count)
        for start in stride(from: 0, to: probs.count, by: Vp) {
            let row = start..<start + V
            let maximum = row.reduce(-Double.infinity) { max($0, logits[$1]) }
            let mean = row.reduce(0) { $0 + probs[$1] * (maximum - logits[$1]) }
            for i in row { gauge[i] = max(probs[i] * (1 + maximum - logits[i] + mean), flushed) }
        }
        return ["probs": gauge]
    }

    private static func crossentropySoftmaxBackward(_ x: CallValues) -> [String: [Double]] {
        let (V, Vp) = (x.size("V"), x.size("Vp"))
        let (probs, dlosses, targets) = (x["probs"], x["dlosses"], x["targets"])
        return [
            "dlogits": x[initial: "dlogits"].enumerated().map { i, initial in
                let (row, v) = (i / Vp, i % Vp)
                guard v < V else { return 0 }
                return abs(initial) + abs(dlosses[row]) * (probs[i] + (v == Int(targets[row]) ? 1 : 0))
            }
        ]
    }

    private static func attentionForward(_ x: CallValues) -> [String: [Double]] {
        let (T, C, NH) = (x.size("T"), x.size("C"), x.size("NH"))
        let (inp, preatt, att) = (x["inp"], x[truth: "preatt"], x[truth: "att"])
        var gauges = (
            preatt: [Double](repeating: 0, count: preatt.count), att: [Double](repeating: 0, count: att.count)
        )
        var out = [Double](repeating: 0, count: x[truth: "out"].count)
        let (hs, scale) = (C / NH, 1 / Double(C / NH).squareRoot())
        for row in 0..<att.count / T {
            let (b, h, t) = (row / (NH * T), row / T % NH, row % T)
            let q = (b * T + t) * 3 * C + h * hs
            func k(_ t2: Int) -> Int { (b * T + t2) * 3 * C + C + h * hs }
            let entries = row * T...row * T + t
            let maximum = entries.reduce(-Double.infinity) { max($0, preatt[$1]) }
            var mean = 0.0
            for t2 in 0...t {
                let entry = row * T + t2
                let sum = (0..<hs).reduce(0) { $0 + abs(inp[q + $1] * inp[k(t2) + $1]) }
                gauges.preatt[entry] = scale * sum
                mean += att[entry] * (scale * sum + maximum - preatt[entry])
            }
            for t2 in 0...t {
                let entry = row * T + t2
                let shift = gauges.preatt[entry] + maximum - preatt[entry]
                gauges.att[entry] = max(att[entry] * (1 + shift + mean), flushed)
                for i in 0..<hs {
                    out[(b * T + t) * C + h * hs + i] += gauges.att[entry] * abs(inp[k(t2) + C + i])
                }
            }
        }
        return ["out": out, "preatt": gauges.preatt, "att": gauges.att]
    }

    private static func attentionBackward(_ x: CallValues) -> [String: [Double]] {
        let (T, C, NH) = (x.size("T"), x.size("C"), x.size("NH"))
        let (inp, att, dout) = (x["inp"], x["att"], x["dout"])
        var dinp = x[initial: "dinp"].map { abs($0) }
        var dpreatt = x[initial: "dpreatt"].map { abs($0) }
        var datt = x[initial: "datt"].map { abs($0) }
        let (hs, scale) = (C / NH, 1 / Double(C / NH).squareRoot())
        for row in 0..<att.count / T {
            let (b, h, t) = (row / (NH * T), row / T % NH, row % T)
            let q = (b * T + t) * 3 * C + h * hs
            let o = (b * T + t) * C + h * hs
            func k(_ t2: Int) -> Int { (b * T + t2) * 3 * C + C + h * hs }
            var expectation = 0.0
            for t2 in 0...t {
                let entry = row * T + t2
                datt[entry] += (0..<hs).reduce(0) { $0 + abs(dout[o + $1] * inp[k(t2) + C + $1]) }
                expectation += att[entry] * datt[entry]
            }
            for t2 in 0...t {
                let entry = row * T + t2
                dpreatt[entry] += att[entry] * (datt[entry] + expectation)
                for i in 0..<hs {
                    dinp[q + i] += scale * dpreatt[entry] * abs(inp[k(t2) + i])
                    dinp[k(t2) + i] += scale * dpreatt[entry] * abs(inp[q + i])
                    dinp[k(t2) + C + i] += att[entry] * abs(dout[o + i])
                }
            }
        }
        return ["dinp": dinp, "dpreatt": dpreatt, "datt": datt]
    }

    // MARK: - AdamW

    private static func adamwUpdate(_ x: CallValues) -> [String: [Double]] {
        let h = x.hyperparameters
        let (lr, beta1, beta2) = (Double(h.learningRate), Double(h.beta1), Double(h.beta2))
        let power1 = pow(beta1, Double(x.size("t")))
        let power2 = pow(beta2, Double(x.size("t")))
        let grads = x["grads"]
        let m = map2(x[initial: "m"], grads) { abs($0) + (1 - beta1) * abs($1) }
        let v = map2(x[initial: "v"], grads) { $0 + (1 - beta2) * $1 * $1 }
        let (nextM, nextV) = (x[truth: "m"], x[truth: "v"])
        let params = x[initial: "params"].enumerated().map { i, param in
            let denominator = (nextV[i] / (1 - power2)).squareRoot() + Double(h.eps)
            let step = lr * abs(nextM[i]) / (1 - power1) / denominator
            return abs(param) * (1 + lr * Double(h.weightDecay)) + lr / (1 - power1) / denominator * m[i]
                + step * (power1 / (1 - power1) + power2 / (1 - power2))
        }
        return ["params": params, "m": m, "v": v]
    }

    private static func map2(_ a: [Double], _ b: [Double], _ f: (Double, Double) -> Double) -> [Double] {
        zip(a, b).map(f)
    }
}

extension CallValues {
    fileprivate subscript(name: String) -> [Double] { inputs[name] ?? [] }
    fileprivate subscript(initial name: String) -> [Double] { initial[name] ?? [] }
    fileprivate subscript(truth name: String) -> [Double] { truth[name] ?? [] }
    fileprivate func size(_ name: String) -> Int { sizes[name] ?? 1 }
}
