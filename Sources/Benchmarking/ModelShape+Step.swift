import Accuracy
import GPT2

/// What `bench` times of a shape besides its kernels.
extension ModelShape {
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
