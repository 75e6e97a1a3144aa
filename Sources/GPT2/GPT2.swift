import Kernels
import Tensors

/// A GPT-2 with its memory: parameters, activations, gradients and the optimizer's moments.
///
/// It is handed a set of kernels and knows none of them by name. One model has one shape of batch.
public struct GPT2<Scalar: KernelScalar>: ~Copyable {
    /// The model's sizes.
    public let configuration: Configuration
    /// B, the sequences of a batch.
    public let batch: Int
    /// T, the tokens of a sequence.
    public let sequence: Int
    /// How much of a pass is kept.
    public let memory: ActivationMemory
    /// What computes.
    public var kernels: KernelSet<Scalar>

    /// Where parameters, their gradients and their moments lie.
    public let parameterLayout: ParameterLayout
    /// Where activations lie.
    public let activationLayout: ActivationLayout
    /// Where the gradients of activations lie.
    public let gradientLayout: GradientLayout

    /// The parameters.
    public let parameters: Arena<Scalar>
    /// The parameters' gradients, which ``backward(scale:)`` adds to.
    public let parameterGradients: Arena<Scalar>
    /// The activations of the last forward pass.
    public let activations: Arena<Scalar>
    /// The activations' gradients of the last backward pass.
    public let activationGradients: Arena<Scalar>
    /// AdamW's moments, from the first update on.
    public internal(set) var moments: Moments<Scalar>?

    let inputs: Tensor<Int32>
    let targets: Tensor<Int32>

    /// A model with parameters of 0.
    ///
    /// - Precondition: `batch` and `sequence` are positive, `sequence` at most the block size.
    public init(
        configuration: Configuration, batch: Int, sequence: Int, kernels: KernelSet<Scalar>,
        memory: ActivationMemory = .complete
    ) {
        precondition(batch > 0 && sequence > 0 && sequence <= configuration.blockSize)
        self.configuration = configuration
        self.batch = batch
        self.sequence = sequence
        self.kernels = kernels
        self.memory = memory
        parameterLayout = ParameterLayout(configuration)
        activationLayout = ActivationLayout(configuration, B: batch, T: sequence, memory: memory)
        gradientLayout = GradientLayout(activationLayout, memory: memory)
        parameters = Arena(parameterLayout.tensors)
        parameterGradients = Arena(parameterLayout.tensors)
        activations = Arena(activationLayout.tensors)
        activationGradients = Arena(gradientLayout.tensors)
        moments = nil
        inputs = Tensor(repeating: 0, count: batch * sequence)
        targets = Tensor(repeating: 0, count: batch * sequence)
    }

    /// Takes the tokens of the next forward pass and what follows each, both (B, T).
    ///
    /// - Throws: ``TokenError`` for the first token outside the vocabulary.
    public func load(inputs newInputs: some Collection<Int32>, targets newTargets: some Collection<Int32>)
        throws(TokenError)
    {
        try load(newInputs, into: inputs.view, "inputs")
        try load(newTargets, into: targets.view, "targets")
    }

    private func load(_ tokens: some Collection<Int32>, into view: MutableView<Int32>, _ name: String)
        throws(TokenError)
    {
        precondition(tokens.count == view.count, "\(tokens.count) \(name) for \(view.count)")
        for (position, token) in tokens.enumerated() {
            guard token >= 0, token < configuration.vocabularySize else {
                throw TokenError(name: name, token: token, position: position, vocabulary: configuration.vocabularySize)
            }
            view[position] = token
        }
    }
}

/// A token that the vocabulary does not have.
public struct TokenError: Error, CustomStringConvertible {
    /// `inputs` or `targets`.
    public let name: String
    /// The token.
    public let token: Int32
    /// Its place in the batch.
    public let position: Int
    /// The size of the vocabulary.
    public let vocabulary: Int

    public var description: String {
        "\(name): token \(token) at position \(position) lies outside the vocabulary of \(vocabulary)"
    }
}
