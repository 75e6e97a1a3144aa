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
    /// Each block's keys and values, and the activations of one block at a time, for up to `chunk` positions at once.
    private let activations: Arena<Scalar>
    private let h: [ActivationLayout.Block]
    /// The residual stream, a norm with its statistics, and the last position's logits.
    private let residual, norm, mean, rstd, logits: TensorSpecification
    private let inputs: Tensor<Int32>

    /// An empty text, which takes up to `chunk` tokens in one pass through the model.
    public init(configuration: Configuration, kernels: KernelSet<Scalar>, chunk: Int = 64) {
        self.configuration = configuration
        self.kernels = kernels
        parameterLayout = ParameterLayout(configuration)
        let (C, P) = (configuration.channels, configuration.blockSize)
        let rows = max(min(chunk, P), 1)
        var tensors = TensorLayout()
        func add(_ name: String, _ shape: Int...) -> TensorSpecification { tensors.append(name, [1] + shape) }
        let residual = add("residual", rows, C)
        let (norm, mean, rstd) = (add("norm", rows, C), add("mean", rows), add("rstd", rows))
        let (qkv, atty, residual2) = (add("qkv", rows, 3 * C), add("atty", rows, C), add("residual2", rows, C))
        let (fch, fch_gelu) = (add("fch", rows, 4 * C), add("fch_gelu", rows, 4 * C))
        let projection = add("projection", rows, C)
        h = (0..<configuration.layers).map { l in
            ActivationLayout.Block(
                ln1: norm, ln1_mean: mean, ln1_rstd: rstd, qkv: qkv,
                attention: .cached(keys: add("h.\(l).k", P, C), values: add("h.\(l).v", P, C)),
                atty: atty, attproj: projection, residual2: residual2,
                ln2: norm, ln2_mean: mean, ln2_rstd: rstd, fch: fch, fch_gelu: fch_gelu, fcproj: projection,
                residual3: residual)
        }
        (self.residual, self.norm, self.mean, self.rstd) = (residual, norm, mean, rstd)
        logits = add("logits", 1, configuration.paddedVocabularySize)
        activations = Arena(tensors)
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
        for start in stride(from: 0, to: tokens.count, by: inputs.view.count) {
            let part = tokens[start..<min(start + inputs.view.count, tokens.count)]
            forward(part, parameters)
            position += part.count
        }
        return View(activations[logits].slice(0..<configuration.vocabularySize))
    }

    private func forward(_ tokens: ArraySlice<Int32>, _ parameters: borrowing Arena<Scalar>) {
        let (T, C, w) = (tokens.count, configuration.channels, parameterLayout)
        for (index, token) in tokens.enumerated() { inputs.view[index] = token }
        let (wpe, stream): (MutableView<Scalar>, MutableView<Scalar>) = (parameters[w.wpe], activations[residual])
        kernels.run(
            Encoder.Forward(
                out: stream.slice(0..<T * C), inp: View(inputs.view.slice(0..<T)), wte: parameters[w.wte],
                wpe: View(wpe.slice(position * C..<wpe.count)), B: 1, T: T, C: C))
        let pass = ForwardPass(
            kernels: kernels, parameters: parameters.elements, activations: activations.elements,
            heads: configuration.heads, B: 1, T: T, S: position)
        for (w, a) in zip(w.h, h) { pass.block(w, a, from: residual) }
        pass.norm(norm, mean, rstd, of: residual, w.ln_f)
        let last: MutableView<Scalar> = activations[norm]
        kernels.run(
            Matmul.Forward(
                out: activations[logits], inp: View(last.slice((T - 1) * C..<T * C)), weight: parameters[w.wte],
                bias: nil, B: 1, T: 1, C: C, OC: configuration.paddedVocabularySize))
    }
}
