import Foundation
import GPT2
import KernelCatalog
import Kernels
import Tensors
import Training

func contents(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

/// The smallest model with more than one of everything.
let small = Configuration(
    blockSize: 16, vocabularySize: 257, paddedVocabularySize: 264, layers: 2, heads: 2, channels: 8)

func model(_ configuration: Configuration = small, batch: Int = 2, sequence: Int = 8) throws -> GPT2<Float> {
    GPT2<Float>(
        configuration: configuration, batch: batch, sequence: sequence,
        kernels: try KernelCatalog.standard.set(named: "fast"),
        memory: .lean)
}

let someTokens = (0..<600).map { Int32($0 * $0 % 91 + $0 % 7) }

func settings(steps: Int, learningRate: Double = 0.01) -> TrainingSettings {
    TrainingSettings(
        batch: 2, sequence: 8, accumulation: 2,
        schedule: LearningRateSchedule(peak: learningRate, final: learningRate / 10, warmupSteps: 2, steps: steps),
        seed: 5)
}

/// A run on some tokens, from a random start.
func trainer(steps: Int, learningRate: Double = 0.01, tokens: [Int32] = someTokens) throws -> Trainer {
    let model = try model()
    model.initialize(seed: 3)
    let (data, validation) = TokenData(tokens).split(last: 0.1)
    return try Trainer(
        model: model,
        progress: TrainingProgress(
            settings: settings(steps: steps, learningRate: learningRate), source: TrainingSource(text: ["text"])),
        tokenizer: .bytes, data: data, validation: validation)
}

/// The run of a checkpoint on some tokens.
func resumed(_ path: String, tokens: [Int32] = someTokens) throws -> Trainer {
    let checkpoint = try Checkpoint(readingFrom: path)
    let (data, validation) = TokenData(tokens).split(last: 0.1)
    return try Trainer.resuming(
        checkpoint, settings: checkpoint.header.progress.settings, kernels: KernelCatalog.standard.set(named: "fast"),
        data: data,
        validation: validation)
}
