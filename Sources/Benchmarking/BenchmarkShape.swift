import Accuracy
import GPT2

/// A shape that cannot be benchmarked: which, and what can.
public struct ShapeError: Error, CustomStringConvertible, Sendable {
    public let description: String
}

/// A model and a batch, as `--shapes` names them: `124M:4x64`, or `odd`.
public struct BenchmarkShape: Sendable {
    /// The name, as in the flag.
    public let name: String
    /// The model's sizes.
    public let configuration: Configuration
    /// B and T.
    public let batch, sequence: Int

    /// The shape of that name.
    ///
    /// - Throws: ``ShapeError`` when there is none.
    public init(_ name: String) throws(ShapeError) {
        self.name = name
        guard name != "odd" else {
            // Sizes that no block, tile or vector divides.
            configuration = Configuration(
                blockSize: 127, vocabularySize: 5003, paddedVocabularySize: 5011, layers: 1, heads: 3, channels: 771)
            (batch, sequence) = (3, 37)
            return
        }
        let parts = name.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let numbers = (parts.last ?? "").split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let model = Configuration.named.first(where: { $0.name == parts[0] }),
            numbers.count == 2, let batch = numbers[0], let sequence = numbers[1], (1...64).contains(batch),
            (1...model.configuration.blockSize).contains(sequence)
        else {
            let models = Configuration.named.map(\.name).joined(separator: ", ")
            throw ShapeError(
                description: "--shapes: cannot read '\(name)'; write odd, or a model (\(models)), a batch of 1 to 64 "
                    + "and a sequence that the model can hold, such as 124M:4x64")
        }
        configuration = model.configuration
        (self.batch, self.sequence) = (batch, sequence)
    }

    /// Whether a whole training step is timed at this shape: with less than 8 GB of parameters, gradients and moments.
    var hasStep: Bool {
        name != "odd" && configuration.layers * configuration.channels * configuration.channels < 1 << 25
    }

    /// What the model is trained on: the same in every run.
    private var tokens: [Int32] {
        let draw = Draw("tokens", seed: 1)
        return (0...batch * sequence).map { draw.token($0, below: configuration.vocabularySize) }
    }

    /// The step.
    func step(threads: Int) -> StepTask {
        let c = configuration
        return StepTask(
            layers: c.layers, heads: c.heads, channels: c.channels, vocabulary: c.vocabularySize,
            paddedVocabulary: c.paddedVocabularySize, blockSize: c.blockSize, batch: batch, sequence: sequence,
            tokens: tokens, threads: threads)
    }
}
