import Foundation
import GPT2
import HDF5
import ModelFormats
import Tokenizer

extension Checkpoint {
    /// The attribute that tells a checkpoint from other files.
    static let versionAttribute = "plumbline_checkpoint"
}

extension Checkpoint.Header {
    /// The version of the layout.
    static let version: Int64 = 1

    init(reading file: borrowing File) throws {
        guard file.hasAttribute(Checkpoint.versionAttribute, of: "/") else {
            throw TrainingError(file.path, "it is an HDF5 file, but no checkpoint of `train`")
        }
        let version = try file.attribute(Checkpoint.versionAttribute, of: "/", as: Int64.self)
        guard version == [Self.version] else {
            throw TrainingError(
                file.path, "it is a checkpoint of version \(version), and version \(Self.version) is read here")
        }
        try file.checkManifest()
        let configuration = try Configuration(
            checking: file.path, blockSize: file.number("block_size"), vocabularySize: file.number("vocab_size"),
            paddedVocabularySize: file.number("padded_vocab_size"), layers: file.number("n_layer"),
            heads: file.number("n_head"), channels: file.number("n_embd"))
        var progress = TrainingProgress(settings: try file.json("settings"), source: try file.json("source"))
        progress.step = try file.number("step")
        progress.position = try file.number("position")
        progress.history.losses = try file.dataset("history/loss").read(Double.self)
        progress.history.gradientNorms = try file.dataset("history/grad_norm").read(Double.self)
        progress.history.validationSteps = try file.dataset("history/validation_step").read(Int64.self).map { Int($0) }
        progress.history.validationLosses = try file.dataset("history/validation_loss").read(Double.self)
        let tokenizer = try Tokenizer(reading: file)
        guard tokenizer.count == configuration.vocabularySize, progress.step >= 0, progress.position >= 0,
            progress.history.losses.count == progress.step
        else { throw TrainingError(file.path, "its parts do not belong together; give another checkpoint") }
        self.init(
            configuration: configuration, tokenizer: tokenizer, progress: progress,
            dataDigest: UInt64(bitPattern: Int64(try file.number("data_digest"))))
    }

    func write(to file: borrowing File) throws {
        try file.setAttribute(Checkpoint.versionAttribute, of: "/", to: [Self.version])
        let c = configuration
        let numbers = [
            ("block_size", c.blockSize), ("vocab_size", c.vocabularySize),
            ("padded_vocab_size", c.paddedVocabularySize), ("n_layer", c.layers), ("n_head", c.heads),
            ("n_embd", c.channels), ("step", progress.step), ("position", progress.position),
            ("data_digest", Int(truncatingIfNeeded: dataDigest)),
        ]
        for (name, value) in numbers { try file.setAttribute(name, of: "/", to: [Int64(value)]) }
        try file.setJSON("settings", to: progress.settings)
        try file.setJSON("source", to: progress.source)
        let history = progress.history
        try file.add("history/loss", history.losses)
        try file.add("history/grad_norm", history.gradientNorms)
        try file.add("history/validation_step", history.validationSteps.map { Int64($0) })
        try file.add("history/validation_loss", history.validationLosses)
        let tokens = tokenizer.tokens
        try file.add("tokenizer/bytes", tokens.flatMap { $0 ?? [] })
        try file.add("tokenizer/lengths", tokens.map { Int32($0?.count ?? -1) })
        try file.setAttribute("name", of: "tokenizer", to: tokenizer.name)
        try file.setAttribute("end_of_text", of: "tokenizer", to: [tokenizer.endOfText])
    }
}

extension Tokenizer {
    fileprivate init(reading file: borrowing File) throws {
        let bytes = try file.dataset("tokenizer/bytes").read(UInt8.self)
        let lengths = try file.dataset("tokenizer/lengths").read(Int32.self)
        let endOfText = try file.attribute("end_of_text", of: "tokenizer", as: Int32.self)
        guard lengths.reduce(0, { $0 + Int(max($1, 0)) }) == bytes.count, endOfText.count == 1 else {
            throw TrainingError(file.path, "tokenizer: its lengths and bytes do not belong together")
        }
        var start = 0
        let tokens = lengths.map { length -> [UInt8]? in
            if length < 0 { return nil }
            defer { start += Int(length) }
            return Array(bytes[start..<start + Int(length)])
        }
        try self.init(name: file.textAttribute("name", of: "tokenizer"), tokens: tokens, endOfText: endOfText[0])
    }
}

extension File {
    fileprivate func number(_ name: String) throws -> Int {
        let values = try attribute(name, of: "/", as: Int64.self)
        guard values.count == 1 else { throw TrainingError(path, "/@\(name): it is not one number") }
        return Int(values[0])
    }

    fileprivate func json<Value: Decodable>(_ name: String) throws -> Value {
        guard let value = try? JSONDecoder().decode(Value.self, from: Data(textAttribute(name, of: "/").utf8)) else {
            throw TrainingError(path, "/@\(name): it is not what `train` writes there")
        }
        return value
    }

    fileprivate func setJSON(_ name: String, to value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try setAttribute(name, of: "/", to: String(decoding: encoder.encode(value), as: UTF8.self))
    }

    fileprivate func add<Value: Element>(_ name: String, _ values: [Value]) throws {
        try createDataset(name, of: Value.self, shape: [values.count]).write(values)
    }
}
