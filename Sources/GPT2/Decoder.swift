import Foundation
import Kernels
import Tensors

/// Continues one text token by token: keeps each block's keys and values, so that a token costs one position's work.
///
/// It holds no parameters; ``append(_:parameters:)`` is handed those of a model, which may change between texts.
public struct Decoder<Scalar: KernelScalar>: ~Copyable {
    /// The model's sizes.
    public let configuration: Configuration
    /// What computes.
    public let kernels: KernelSet<Scalar>
    /// The tokens appended so far, at most the block size.
    public private(set) var position = 0

    private let parameterLayout: ParameterLayout
    /// Each block's keys and values, (block size, C).
    private let cache: Arena<Scalar>
    private let keys, values: [TensorSpecification]
    /// One block's activations, for up to `chunk` positions at once.
    private let scratch: Arena<Scalar>
    private let x: Scratch
    private let chunk: Int
    private let inputs: Tensor<Int32>

    /// Where the activations lie, each (chunk, …); the logits are the last position's alone.
    private struct Scratch {
        let residual, residual2, norm, mean, rstd, qkv, atty, projection, hidden, activated, logits: TensorSpecification
    }

    /// An empty text, which takes up to `chunk` tokens in one pass through the model.
    public init(configuration: Configuration, kernels: KernelSet<Scalar>, chunk: Int = 64) {
        self.configuration = configuration
        self.kernels = kernels
        self.chunk = max(min(chunk, configuration.blockSize), 1)
        parameterLayout = ParameterLayout(configuration)
        let C = configuration.channels
        var cached = TensorLayout()
        let blocks = 0..<configuration.layers
        keys = blocks.map { cached.append("h.\($0).k", [configuration.blockSize, C]) }
        values = blocks.map { cached.append("h.\($0).v", [configuration.blockSize, C]) }
        cache = Arena(cached)
        var layout = TensorLayout()
        let rows = self.chunk
        x = Scratch(
            residual: layout.append("residual", [rows, C]), residual2: layout.append("residual2", [rows, C]),
            norm: layout.append("norm", [rows, C]), mean: layout.append("mean", [rows]),
            rstd: layout.append("rstd", [rows]),
            qkv: layout.append("qkv", [rows, 3 * C]), atty: layout.append("atty", [rows, C]),
            projection: layout.append("projection", [rows, C]), hidden: layout.append("fch", [rows, 4 * C]),
            activated: layout.append("fch_gelu", [rows, 4 * C]),
            logits: layout.append("logits", [1, configuration.paddedVocabularySize]))
        scratch = Arena(layout)
        inputs = Tensor(repeating: 0, count: rows)
    }

    /// Begins a new text.
    public mutating func reset() { position = 0 }

    /// Appends tokens to the text, and returns the logits (V) of the token after the last; valid until the next call.
    ///
    /// - Precondition: there is at least one token, and all fit: ``position`` plus their number is at most the block size.
    /// - Throws: ``TokenError`` for the first token outside the vocabulary; the text is then as it was.
    public mutating func append(_ tokens: [Int32], parameters: borrowing Arena<Scalar>) throws(TokenError)
        -> View<Scalar>
    {
        precondition(!tokens.isEmpty && position + tokens.count <= configuration.blockSize)
        for (index, token) in tokens.enumerated() where !(0..<Int32(configuration.vocabularySize)).contains(token) {
            throw TokenError(
                name: "inputs", token: token, position: position + index, vocabulary: configuration.vocabularySize)
        }
        for start in stride(from: 0, to: tokens.count, by: chunk) {
            let part = tokens[start..<min(start + chunk, tokens.count)]
            forward(part, parameters)
            position += part.count
        }
        return View(rows(x.logits, 1).slice(0..<configuration.vocabularySize))
    }

    // MARK: - One pass

    private func forward(_ tokens: ArraySlice<Int32>, _ parameters: borrowing Arena<Scalar>) {
        let (n, w) = (tokens.count, parameterLayout)
        for (index, token) in tokens.enumerated() { inputs.view[index] = token }
        let positions: MutableView<Scalar> = parameters[w.wpe]
        let C = configuration.channels
        kernels.run(
            Encoder.Forward(
                out: rows(x.residual, n), inp: View(inputs.view.slice(0..<n)), wte: parameters[w.wte],
                wpe: View(positions.slice(position * C..<positions.count)), B: 1, T: n, C: C))
        for (l, w) in w.h.enumerated() {
            norm(of: x.residual, w.ln_1, n, parameters)
            linear(x.qkv, of: x.norm, w.attn.c_attn, n, parameters)
            attend(l, n)
            linear(x.projection, of: x.atty, w.attn.c_proj, n, parameters)
            addProjection(x.residual2, x.residual, n)
            norm(of: x.residual2, w.ln_2, n, parameters)
            linear(x.hidden, of: x.norm, w.mlp.c_fc, n, parameters)
            kernels.run(
                GELU.Forward(out: rows(x.activated, n), inp: View(rows(x.hidden, n)), N: rows(x.hidden, n).count))
            linear(x.projection, of: x.activated, w.mlp.c_proj, n, parameters)
            addProjection(x.residual, x.residual2, n)
        }
        norm(of: x.residual, w.ln_f, n, parameters)
        kernels.run(
            Matmul.Forward(
                out: rows(x.logits, 1), inp: View(rows(x.norm, n).slice((n - 1) * C..<n * C)),
                weight: parameters[w.wte], bias: nil, B: 1, T: 1, C: C, OC: configuration.paddedVocabularySize))
    }

    /// Stores the new keys and values, and attends from each new position to all up to itself.
    ///
    ///     out = softmax(q · kᵀ / √hs) · v, over the cached k and v
    private func attend(_ l: Int, _ n: Int) {
        let (C, NH, first) = (configuration.channels, configuration.heads, position)
        let (k, v): (MutableView<Scalar>, MutableView<Scalar>) = (cache[keys[l]], cache[values[l]])
        let (qkv, out) = (rows(x.qkv, n), rows(x.atty, n))
        for t in 0..<n {
            for i in 0..<C {
                k[(first + t) * C + i] = qkv[t * 3 * C + C + i]
                v[(first + t) * C + i] = qkv[t * 3 * C + 2 * C + i]
            }
        }
        kernels.workers.forEach(NH) { h in
            for t in 0..<n {
                attendOnce(
                    q: View(qkv.slice(t * 3 * C..<t * 3 * C + C)), k: View(k), v: View(v),
                    out: out.slice(t * C..<(t + 1) * C), head: h, heads: NH, count: first + t + 1)
            }
        }
    }

    private func addProjection(_ out: TensorSpecification, _ residual: TensorSpecification, _ n: Int) {
        let out = rows(out, n)
        kernels.run(
            Residual.Forward(
                out: out, inp1: View(rows(residual, n)), inp2: View(rows(x.projection, n)), N: out.count))
    }

    private func norm(
        of inp: TensorSpecification, _ norm: ParameterLayout.Affine, _ n: Int, _ parameters: borrowing Arena<Scalar>
    ) {
        kernels.run(
            LayerNorm.Forward(
                out: rows(x.norm, n), mean: rows(x.mean, n), rstd: rows(x.rstd, n), inp: View(rows(inp, n)),
                weight: parameters[norm.weight], bias: parameters[norm.bias], B: 1, T: n, C: norm.weight.count))
    }

    private func linear(
        _ out: TensorSpecification, of inp: TensorSpecification, _ linear: ParameterLayout.Affine, _ n: Int,
        _ parameters: borrowing Arena<Scalar>
    ) {
        kernels.run(
            Matmul.Forward(
                out: rows(out, n), inp: View(rows(inp, n)), weight: parameters[linear.weight],
                bias: parameters[linear.bias], B: 1, T: n, C: linear.weight.shape[1], OC: linear.weight.shape[0]))
    }

    /// The first n rows of a tensor of the scratch.
    private func rows(_ tensor: TensorSpecification, _ n: Int) -> MutableView<Scalar> {
        scratch[tensor].slice(0..<n * (tensor.count / tensor.shape[0]))
    }
}

/// One head's attention of one query over `count` keys and values.
private func attendOnce<Scalar: KernelScalar>(
    q: View<Scalar>, k: View<Scalar>, v: View<Scalar>, out: MutableView<Scalar>, head: Int, heads: Int, count: Int
) {
    let (C, size) = (q.count, q.count / heads)
    let scale = 1 / Double(size).squareRoot()
    var weights = [Double](repeating: 0, count: count)
    var maximum = -Double.infinity
    for position in 0..<count {
        var dot = 0.0
        for i in head * size..<(head + 1) * size { dot += Double(q[i]) * Double(k[position * C + i]) }
        weights[position] = dot * scale
        maximum = max(maximum, weights[position])
    }
    var sum = 0.0
    for position in 0..<count {
        weights[position] = exp(weights[position] - maximum)
        sum += weights[position]
    }
    for i in head * size..<(head + 1) * size {
        var value = 0.0
        for position in 0..<count { value += weights[position] * Double(v[position * C + i]) }
        out[i] = Scalar(value / sum)
    }
}
