import Foundation
import GPT2
import HDF5
import KernelCatalog
import Kernels
import Platform
import Tensors
import Terminal
import Tokenizer
import Training

let syntax = CommandSyntax(
    "generate",
    summary: "Continues a text with a model that `train` saved, or with one of llm.c's or Hugging Face's.",
    flags: [
        Flag(
            "--checkpoint", "PATH",
            help:
                "The model: a checkpoint, a gpt2_*.bin of llm.c, or a folder of Hugging Face's; the newest checkpoint in checkpoints if not given."
        ),
        Flag("--prompt", "TEXT", mayBeEmpty: true, help: "The text to continue; the beginning of a text if not given."),
        Flag("--tokens", "N", help: "The most tokens to write; 200 if not given."),
        Flag("--temperature", "X", help: "How bold to draw: 0 always takes the likeliest token; 0.8 if not given."),
        Flag("--top-k", "K", help: "Draw from the K likeliest tokens; 0 for all; 40 if not given."),
        Flag("--top-p", "P", help: "Draw from the likeliest tokens of that probability together; 1 if not given."),
        Flag("--seed", "N", help: "Where the draws begin; another each time if not given."),
        Flag("--tokenizer", "PATH", help: "The vocabulary, for models that have none of their own."),
        Flag("--kernels", "SET", help: "The kernels: fast (the default), reference, or a list."),
        Flag("--threads", "N", help: "Threads for the kernels; all cores if not given."),
        Flag(
            "--logits", "FILE.h5",
            help: "Only write the prompt's tokens and the logits at each of them, without the cache, and exit."),
    ],
    examples: [
        ("generate --prompt 'func '", "Continue with the newest checkpoint."),
        ("generate --checkpoint gpt2_124M.bin --tokenizer gpt2_tokenizer.bin", "Write with a model of llm.c."),
    ],
    exitCodes:
        "0 all went well, 2 unusable input or flags, 130 stopped by Ctrl-C, 143 by kill, 129 by a closing terminal.")

Terminal.run("generate") { words in
    let arguments = try syntax.parse(words)
    let kernels = try KernelCatalog.standard.set(
        named: arguments.value("--kernels") ?? "fast",
        workers: Workers(count: try arguments.threads(upTo: Workers.most)))
    let count = try arguments.whole("--tokens") ?? 200
    var sampler = try sampler(arguments)

    let path = try arguments.value("--checkpoint") ?? newestCheckpoint()
    let file = try ModelFile(path)
    let (configuration, stored) = try file.describe()
    guard let tokenizer = try arguments.value("--tokenizer").map(vocabulary) ?? stored else {
        throw UsageError("\(path) has no vocabulary of its own; name one with --tokenizer")
    }
    let parameters = Arena<Float>(ParameterLayout(configuration).tensors)
    try file.loadParameters(into: parameters)
    let text = arguments.value("--prompt") ?? ""
    let prompt = tokenizer.encode(text)
    if let path = arguments.value("--logits") {
        try writeLogits(of: prompt, configuration, parameters, kernels, to: path)
        return .held
    }

    Interruption.watch()
    let isTerminal = Terminal.outputIsTerminal
    let style = Style.standardOutput
    Terminal.stream(style.bold(text))
    var (stream, written) = (TextStream(), 0)
    var decoder = Decoder<Float>(configuration: configuration, kernels: kernels)
    let started = ContinuousClock.now
    try TextGenerator.run(
        &decoder, parameters: parameters, prompt: prompt, endOfText: tokenizer.endOfText, count: count,
        sampler: &sampler
    ) { token in
        written += 1
        let new = stream.take(tokenizer.decode([token]))
        Terminal.stream(isTerminal ? Formatting.printable(new, keepingLines: true) : new)
        return Interruption.signal == nil
    }
    Terminal.stream(stream.finish() + "\n")
    let seconds = started.secondsToNow
    Terminal.note(
        "generate: \(Formatting.count(written)) tokens, \(Formatting.count(Int((Double(written) / seconds).rounded()))) tokens/s"
            + ", seed \(sampler.seed)")
    return Interruption.signal.map { .stopped(by: $0) } ?? .held
}

func sampler(_ arguments: CommandArguments) throws -> Sampler {
    var seed = UInt64.random(in: 0..<1 << 32)
    if let text = arguments.value("--seed") {
        guard let number = UInt64(text) else { throw UsageError("--seed needs a whole number, not '\(text)'") }
        seed = number
    }
    let topK = try arguments.whole("--top-k") ?? 40
    return Sampler(
        temperature: try arguments.number("--temperature", in: 0...100) ?? 0.8, topK: topK == 0 ? nil : topK,
        topP: try arguments.number("--top-p", in: 0...1) ?? 1, seed: seed)
}

func vocabulary(_ name: String) throws -> Tokenizer {
    name == "bytes" ? .bytes : try Tokenizer(readingFrom: name)
}

func newestCheckpoint() throws -> String {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: "checkpoints")) ?? []
    let dated = files.filter { $0.hasSuffix(".h5") }.map { name in
        let path = "checkpoints/\(name)"
        let date = (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date
        return (path, date ?? .distantPast)
    }
    guard let newest = dated.max(by: { $0.1 < $1.1 })?.0 else {
        throw UsageError(
            "there is no checkpoint in checkpoints; make one with `swift run train`, or name one with --checkpoint")
    }
    Terminal.note("generate: with \(newest)")
    return newest
}

func writeLogits(
    of prompt: [Int32], _ configuration: Configuration, _ parameters: borrowing Arena<Float>,
    _ kernels: KernelSet<Float>, to path: String
) throws {
    guard !prompt.isEmpty, prompt.count <= configuration.blockSize else {
        throw UsageError("--logits needs a --prompt of 1 to \(configuration.blockSize) tokens, not \(prompt.count)")
    }
    let model = GPT2<Float>(configuration: configuration, batch: 1, sequence: prompt.count, kernels: kernels)
    _ = model.parameters.elements.buffer.update(fromContentsOf: parameters.elements.buffer)
    try model.load(inputs: prompt, targets: prompt)
    model.forward()
    let logits: View<Float> = model.activations[model.activationLayout.logits]
    let (V, Vp) = (configuration.vocabularySize, configuration.paddedVocabularySize)
    let rows = prompt.indices.flatMap { Array(logits.buffer[$0 * Vp..<$0 * Vp + V]) }
    try AtomicFile.write(to: path) { temporary throws(FileWriteError) in
        do {
            let file = try File(creating: temporary)
            try file.createDataset("tokens", of: Int32.self, shape: [prompt.count]).write(prompt)
            try file.createDataset("logits", of: Float.self, shape: [prompt.count, V]).write(rows)
            try file.flush()
        } catch {
            throw FileWriteError(path, (error as? HDF5Error)?.reason ?? "\(error)")
        }
    }
}
