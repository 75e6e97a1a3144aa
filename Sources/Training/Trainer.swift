import Foundation
import GPT2
import Kernels
import Platform
import Tensors
import Tokenizer

/// A training run: AdamW on windows of a text.
///
/// A step takes `accumulation` batches, whose mean gradient it clips and applies. Every result follows from the settings,
/// the tokens and the number of the step; when a run is stopped and resumed does not matter.
public struct Trainer: ~Copyable {
    /// The model.
    public private(set) var model: GPT2<Float>
    /// How far the run has come.
    public private(set) var progress: TrainingProgress
    /// The vocabulary.
    public let tokenizer: Tokenizer
    private let data: TokenData
    private let validation: TokenData?
    private let dataDigest: UInt64
    private var order: WindowOrder

    /// A new run with the parameters that the model has.
    ///
    /// - Throws: ``TrainingError`` if there are too few tokens, or a file of them has become shorter.
    public init(
        model: consuming GPT2<Float>, progress: TrainingProgress, tokenizer: Tokenizer, data: TokenData,
        validation: TokenData?
    ) throws(TrainingError) {
        let settings = progress.settings
        let windows = (data.count - 1) / settings.sequence
        guard windows > 0 else {
            throw TrainingError(
                "\(progress.source.summary): \(data.count) tokens are too few for a sequence of \(settings.sequence); "
                    + "give more text, or a shorter --sequence")
        }
        let digest = try data.digest()
        self.model = model
        self.progress = progress
        self.tokenizer = tokenizer
        self.data = data
        self.validation = validation.flatMap { $0.count > settings.batch * settings.sequence ? $0 : nil }
        dataDigest = digest
        order = WindowOrder(count: windows, isShuffled: settings.isShuffled, seed: settings.seed)
    }

    /// The run of a checkpoint, ready to go on.
    ///
    /// - Throws: ``TrainingError`` if the tokens are not those that it began with, or the checkpoint is damaged.
    public static func resuming(
        _ checkpoint: borrowing Checkpoint, settings: TrainingSettings, kernels: KernelSet<Float>,
        data: TokenData, validation: TokenData?
    ) throws(TrainingError) -> Trainer {
        let header = checkpoint.header
        var progress = header.progress
        progress.settings = settings
        guard try data.digest() == header.dataDigest else {
            throw TrainingError(
                checkpoint.path,
                "the run began with other tokens than \(progress.source.summary) has now; restore "
                    + "the text, or begin a new run from its parameters with --model \(checkpoint.path)")
        }
        try settings.check(header.configuration)
        var model = GPT2<Float>(
            configuration: header.configuration, batch: settings.batch, sequence: settings.sequence, kernels: kernels,
            memory: .lean)
        try checkpoint.restore(&model)
        return try Trainer(
            model: model, progress: progress, tokenizer: header.tokenizer, data: data, validation: validation)
    }

    /// Whether all steps have been made.
    public var isDone: Bool { progress.step >= progress.settings.schedule.steps }

    /// The tokens to learn from.
    public var tokenCount: Int { data.count }

    /// What one step found.
    public struct StepResult: Sendable {
        /// The mean loss of its tokens, before the update.
        public let loss: Double
        /// The norm of the gradient, before clipping.
        public let gradientNorm: Double
        /// The learning rate.
        public let learningRate: Double
    }

    /// Makes the next step.
    ///
    /// - Throws: ``TrainingError`` if the loss or the gradient is not finite, or the tokens cannot be read; the run is then
    ///   what it was.
    public mutating func step() throws -> StepResult {
        guard let result = try step(unless: { false }) else { preconditionFailure("nothing interrupts it") }
        return result
    }

    /// Makes the next step, as ``step()``; nil if `isInterrupted` says between two batches that it is not to go on: the run
    /// is then what it was.
    public mutating func step(unless isInterrupted: () -> Bool) throws -> StepResult? {
        let settings = progress.settings
        let number = progress.step + 1
        var position = progress.position
        var loss = 0.0
        for microBatch in 0..<settings.accumulation {
            if microBatch > 0, isInterrupted() { return nil }
            let batch = (0..<settings.batch).map { order.window(at: position + $0) }
            position += settings.batch
            try load(batch, of: data)
            loss += model.forward() / Double(settings.accumulation)
            model.backward(scale: 1 / Double(settings.accumulation), overwrites: microBatch == 0)
        }
        let norm = settings.clip > 0 ? model.clipGradients(to: settings.clip) : model.gradientNorm()
        guard loss.isFinite, norm.isFinite else {
            throw TrainingError(
                "step \(number): the \(loss.isFinite ? "gradient's norm is \(norm)" : "loss is \(loss)"); "
                    + "try a smaller --learning-rate or a longer --warmup")
        }
        model.update(settings.hyperparameters(at: number), step: number)
        progress.step = number
        progress.position = position
        progress.history.losses.append(loss)
        progress.history.gradientNorms.append(norm)
        return StepResult(loss: loss, gradientNorm: norm, learningRate: settings.schedule.rate(at: number))
    }

    /// Measures and records the validation loss, over the first batches of the validation tokens; nil where there are
    /// too few of them.
    public mutating func validate() throws -> Double? {
        guard let validation else { return nil }
        let settings = progress.settings
        let windows = (validation.count - 1) / settings.sequence
        let batches = min(windows / settings.batch, settings.validationBatches)
        var loss = 0.0
        for batch in 0..<batches {
            try load(Array(batch * settings.batch..<(batch + 1) * settings.batch), of: validation)
            loss += model.forward() / Double(batches)
        }
        if progress.history.validationSteps.last != progress.step {
            progress.history.validationSteps.append(progress.step)
            progress.history.validationLosses.append(loss)
        }
        return loss
    }

    private func load(_ windows: [Int], of data: TokenData) throws {
        let length = progress.settings.sequence
        let tokens = try windows.map { try data.tokens(in: $0 * length..<($0 + 1) * length + 1) }
        try model.load(inputs: tokens.flatMap { $0.dropLast() }, targets: tokens.flatMap { $0.dropFirst() })
    }

    /// A text of `count` tokens as the model would write it now; it depends on the seed and the step alone.
    public func sample(count: Int) throws -> String {
        var decoder = Decoder<Float>(configuration: model.configuration, kernels: model.kernels)
        var sampler = Sampler(
            temperature: 0.8, topK: 40, seed: progress.settings.seed &+ UInt64(progress.step) &* 0x9e37_79b9)
        var tokens: [Int32] = []
        try TextGenerator.run(
            &decoder, parameters: model.parameters, prompt: [], endOfText: tokenizer.endOfText, count: count,
            sampler: &sampler
        ) { token in
            tokens.append(token)
            return true
        }
        return String(decoding: tokenizer.decode(tokens), as: UTF8.self)
    }

    /// Saves the run.
    ///
    /// - Throws: ``TrainingError`` if a parameter is not finite, so that a good checkpoint is not replaced by a useless
    ///   one; `FileWriteError`.
    public func save(to file: inout ExclusiveFile) throws {
        if let bad = firstNonFinite() {
            throw TrainingError(
                "\(bad) is no longer finite after step \(progress.step); try a smaller --learning-rate; "
                    + "what was saved before is unchanged")
        }
        try Checkpoint.write(
            model,
            Checkpoint.Header(
                configuration: model.configuration, tokenizer: tokenizer, progress: progress, dataDigest: dataDigest),
            to: &file)
    }

    /// Saves the run once, to `path`; otherwise as ``save(to:)``.
    public func save(to path: String) throws {
        var file = try ExclusiveFile(path)
        try save(to: &file)
    }

    private func firstNonFinite() -> String? {
        model.parameterLayout.tensors.tensors.first { tensor in
            let view: View<Float> = model.parameters[tensor]
            return !view.buffer.allSatisfy(\.isFinite)
        }?.name
    }
}
