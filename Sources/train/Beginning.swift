import Foundation
import GPT2
import Kernels
import Platform
import Terminal
import Tokenizer
import Training

/// Begins a run as the flags say.
func begin(_ arguments: CommandArguments, _ words: [String], _ kernels: KernelSet<Float>) throws -> ExitCode {
    let start = try Start(arguments)
    let (data, validation) = try tokens(of: start.source, start.tokenizer)
    let output = try Output(arguments, CheckpointFile(of: arguments))
    let model = try start.model(kernels)
    let trainer = try Trainer(
        model: model, progress: TrainingProgress(settings: start.settings, source: start.source),
        tokenizer: start.tokenizer, data: data, validation: validation)
    var session = Session(trainer, output, flags: words)
    return try session.run()
}

/// Goes on with the run of a checkpoint.
func resume(_ arguments: CommandArguments, _ words: [String], _ kernels: KernelSet<Float>) throws -> ExitCode {
    let fixed = [
        "--model", "--tokenizer", "--layers", "--heads", "--channels", "--block-size", "--batch", "--sequence",
        "--accumulate", "--learning-rate", "--final-rate", "--warmup", "--weight-decay", "--beta1", "--beta2", "--clip",
        "--no-shuffle", "--seed", "--validation",
    ]
    if let flag = fixed.first(where: arguments.has) {
        throw UsageError("\(flag) does not go with --resume, which keeps the settings of the run; leave it out")
    }
    let path = arguments.value("--resume") ?? ""
    // Taken before it is read: no other run may change it in between.
    let output = try Output(arguments, CheckpointFile(resuming: path, arguments))
    let checkpoint = try Checkpoint(readingFrom: path)
    var source = checkpoint.header.progress.source
    if arguments.has("--text") || arguments.has("--data") {
        source = TrainingSource(
            text: arguments.values("--text"), shards: arguments.values("--data"), validation: source.validation)
    }
    var settings = checkpoint.header.progress.settings
    settings.schedule.steps = try arguments.whole("--steps") ?? settings.schedule.steps
    try readIntervals(arguments, into: &settings)
    let (data, validation) = try tokens(of: source, checkpoint.header.tokenizer)
    let trainer = try Trainer.resuming(
        checkpoint, settings: settings, kernels: kernels, data: data, validation: validation)
    var session = Session(trainer, output, flags: words)
    return try session.run()
}

/// Writes the tokens of a text as a shard.
func writeShard(_ arguments: CommandArguments, to path: String) throws -> ExitCode {
    let tokenizer = try arguments.value("--tokenizer").map(vocabulary) ?? .bytes
    let started = ContinuousClock.now
    let text = try TextCollection(texts(arguments), tokenizer: tokenizer)
    let seconds = started.secondsToNow
    try TokenShard.write(text.tokens, to: path)
    Terminal.print(
        "\(path): \(Formatting.count(text.tokens.count)) tokens of \(Formatting.count(text.bytes)) bytes in "
            + "\(Formatting.count(text.files)) files, \(Formatting.count(Int(Double(text.tokens.count) / seconds))) tokens/s"
    )
    return .held
}

// MARK: - What the flags say

/// The vocabulary of that name.
func vocabulary(_ name: String) throws -> Tokenizer {
    name == "bytes" ? .bytes : try Tokenizer(readingFrom: name)
}

private func texts(_ arguments: CommandArguments) throws -> [String] {
    if arguments.has("--text") { return arguments.values("--text") }
    let own = ["README.md", "Sources", "Tests"].filter(FileManager.default.fileExists(atPath:))
    guard own.contains("Sources") else {
        throw UsageError("there are no sources here to learn from; name a file or folder with --text")
    }
    return own
}

private func tokens(of source: TrainingSource, _ tokenizer: Tokenizer) throws -> (TokenData, TokenData?) {
    func read(_ text: [String], _ shards: [String]) throws -> TokenData {
        shards.isEmpty
            ? TokenData(try TextCollection(text, tokenizer: tokenizer).tokens)
            : try TokenData(shards: shards, vocabulary: tokenizer.count)
    }
    let data = try read(source.text, source.shards)
    guard let validation = source.validation else { return data.split(last: 0.1) }
    let isShard = validation.hasSuffix(".bin")
    return (data, try read([validation], isShard ? [validation] : []))
}

private func readIntervals(_ arguments: CommandArguments, into settings: inout TrainingSettings) throws {
    settings.validateEvery = try arguments.whole("--validate-every") ?? settings.validateEvery
    settings.sampleEvery = try arguments.whole("--sample-every") ?? settings.sampleEvery
    settings.saveEvery = try arguments.whole("--save-every") ?? settings.saveEvery
}

/// What a new run begins with.
private struct Start {
    let tokenizer: Tokenizer
    let source: TrainingSource
    let settings: TrainingSettings
    private let configuration: Configuration
    private let stored: ModelFile?

    init(_ arguments: CommandArguments) throws {
        let name = arguments.value("--model") ?? "mini"
        let given = try arguments.value("--tokenizer").map(vocabulary)
        var configuration: Configuration
        if let named = Configuration.trainable.first(where: { $0.name == name })?.configuration {
            configuration = named
            tokenizer = given ?? .bytes
            configuration.layers = try arguments.count("--layers") ?? configuration.layers
            configuration.heads = try arguments.count("--heads") ?? configuration.heads
            configuration.channels = try arguments.count("--channels") ?? configuration.channels
            configuration.blockSize = try arguments.count("--block-size") ?? configuration.blockSize
            configuration.vocabularySize = tokenizer.count
            configuration.paddedVocabularySize = Configuration.padded(tokenizer.count)
            if let problem = configuration.problem { throw UsageError("the model cannot be: \(problem)") }
            stored = nil
        } else {
            if let flag = ["--layers", "--heads", "--channels", "--block-size"].first(where: arguments.has) {
                throw UsageError("\(flag) is for new models, and --model names a stored one; leave it out")
            }
            guard FileManager.default.fileExists(atPath: name) else {
                let known = Configuration.trainable.map(\.name).joined(separator: ", ")
                throw UsageError("--model: '\(name)' is neither one of \(known), nor a file or folder")
            }
            let file = try ModelFile(name)
            let described = try file.describe()
            configuration = described.configuration
            guard let known = given ?? described.tokenizer else {
                throw UsageError("\(name) has no vocabulary of its own; name one with --tokenizer")
            }
            guard known.count <= configuration.vocabularySize else {
                throw UsageError(
                    "--tokenizer has \(known.count) tokens, and the model only \(configuration.vocabularySize)")
            }
            tokenizer = known
            stored = file
        }
        self.configuration = configuration
        source = TrainingSource(
            text: arguments.has("--data") ? [] : try texts(arguments), shards: arguments.values("--data"),
            validation: arguments.value("--validation"))
        if arguments.has("--data"), arguments.has("--text") { throw UsageError("give --text or --data, not both") }
        settings = try Self.read(arguments, configuration)
    }

    /// The model with its parameters.
    func model(_ kernels: KernelSet<Float>) throws -> GPT2<Float> {
        try settings.check(configuration)
        let model = GPT2<Float>(
            configuration: configuration, batch: settings.batch, sequence: settings.sequence, kernels: kernels,
            memory: .lean)
        if let stored {
            try stored.loadParameters(into: model.parameters)
        } else {
            model.initialize(seed: settings.seed)
        }
        return model
    }

    private static func read(_ arguments: CommandArguments, _ configuration: Configuration) throws -> TrainingSettings {
        let isSmall = configuration.channels <= 256
        let sequence = try arguments.count("--sequence") ?? min(isSmall ? 64 : 256, configuration.blockSize)
        guard sequence <= configuration.blockSize else {
            throw UsageError("--sequence is \(sequence), and the model's block size \(configuration.blockSize)")
        }
        let steps = try arguments.whole("--steps") ?? 1000
        let peak = try arguments.number("--learning-rate", in: 0...10) ?? (isSmall ? 2e-3 : 6e-4)
        var settings = TrainingSettings(
            batch: try arguments.count("--batch") ?? (isSmall ? 16 : 4), sequence: sequence,
            accumulation: try arguments.count("--accumulate") ?? 1,
            schedule: LearningRateSchedule(
                peak: peak, final: try arguments.number("--final-rate", in: 0...10) ?? peak / 10,
                warmupSteps: try arguments.whole("--warmup") ?? steps / 20, steps: steps))
        if let seed = arguments.value("--seed") {
            guard let number = UInt64(seed) else { throw UsageError("--seed needs a whole number, not '\(seed)'") }
            settings.seed = number
        }
        settings.weightDecay = Float(try arguments.number("--weight-decay", in: 0...100) ?? 0.1)
        settings.beta1 = Float(try arguments.number("--beta1", in: 0...0.999999) ?? 0.9)
        settings.beta2 = Float(try arguments.number("--beta2", in: 0...0.999999) ?? 0.95)
        settings.clip = try arguments.number("--clip", in: 0...Double.infinity) ?? 1
        settings.isShuffled = !arguments.has("--no-shuffle")
        try readIntervals(arguments, into: &settings)
        return settings
    }
}

extension Configuration {
    /// A model that learns something within a minute on a small machine.
    private static let mini = Configuration(
        blockSize: 128, vocabularySize: 257, paddedVocabularySize: 384, layers: 4, heads: 4, channels: 128)

    /// The new models by their names in flags.
    fileprivate static let trainable = [(name: "mini", configuration: mini)] + named
}
