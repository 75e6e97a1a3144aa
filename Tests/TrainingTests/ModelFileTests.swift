import Foundation
import GPT2
import Kernels
import ModelFormats
import Tensors
import TestSupport
import Testing
import Training

/// Models go out to other programs' formats and come back the same.
struct ModelFileTests {
    private let configuration = Configuration(
        blockSize: 16, vocabularySize: 257, paddedVocabularySize: 384, layers: 2, heads: 2, channels: 8)

    private func randomModel() throws -> GPT2<Float> {
        let model = try model(configuration)
        model.initialize(seed: 9)
        // Biases and norms that are not all alike.
        var generator = SplitMix64(state: 4)
        for tensor in model.parameterLayout.tensors.tensors where tensor.shape.count == 1 {
            let view: MutableView<Float> = model.parameters[tensor]
            for i in 0..<view.count { view[i] += Float(generator.normal()) / 10 }
        }
        return model
    }

    private func load(_ path: String) throws -> GPT2<Float> {
        let file = try ModelFile(path)
        let model = try model(file.describe().configuration)
        try file.loadParameters(into: model.parameters)
        return model
    }

    private func differences(_ a: borrowing GPT2<Float>, _ b: borrowing GPT2<Float>) -> Float {
        zip(a.parameters.elements.buffer, b.parameters.elements.buffer).map { abs($0 - $1) }.max() ?? .nan
    }

    @Test(arguments: ["model.bin", "folder"])
    func comesBackToTheBit(_ name: String) throws {
        let folder = try TemporaryFolder()
        let original = try randomModel()
        try StoredModel.export(original.parameters, configuration, endOfText: 256, to: folder(name))
        let copy = try load(folder(name))
        #expect(copy.configuration == configuration)
        #expect(differences(original, copy) == 0)
        if name == "folder" {
            let again = try load(folder("folder/model.safetensors"))
            #expect(differences(original, again) == 0)
        }
    }

    @Test func bfloat16IsRoundedToNearest() throws {
        let folder = try TemporaryFolder()
        let original = try randomModel()
        let wte: MutableView<Float> = original.parameters[original.parameterLayout.wte]
        // Ties go to even: 1 + 2^-8 lies halfway between 1 and 1 + 2^-7, 1 + 3·2^-8 between that and 1 + 2^-6.
        (wte[0], wte[1], wte[2]) = (1 + 0x1p-8, 1 + 3 * 0x1p-8, 1 + 0x1p-8 + 0x1p-20)
        try StoredModel.export(original.parameters, configuration, endOfText: 256, to: folder("m.bf16.bin"))
        let copy = try load(folder("m.bf16.bin"))
        let read: View<Float> = copy.parameters[copy.parameterLayout.wte]
        #expect([read[0], read[1], read[2]] == [1, 1 + 0x1p-6, 1 + 0x1p-7])
        for (a, b) in zip(original.parameters.elements.buffer, copy.parameters.elements.buffer) {
            #expect(abs(a - b) <= abs(a) * 0x1p-8)
            #expect(b.bitPattern & 0xffff == 0)
        }
    }

    /// The transposes are those of Conv1D: (in, out).
    @Test func huggingFaceLayout() throws {
        let folder = try TemporaryFolder()
        let original = try randomModel()
        try StoredModel.export(original.parameters, configuration, endOfText: 256, to: folder("hf"))
        let data = try contents(folder("hf/model.safetensors"))
        let length = Int(data.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) })
        let header = try #require(JSONSerialization.jsonObject(with: data[8..<8 + length]) as? [String: Any])
        let name = "transformer.h.1.attn.c_attn.weight"
        let entry = try #require(header[name] as? [String: Any])
        #expect(entry["shape"] as? [Int] == [8, 24])
        #expect((header["transformer.wte.weight"] as? [String: Any])?["shape"] as? [Int] == [257, 8])
        #expect(header.count == 1 + original.parameterLayout.tensors.tensors.count)
        let start = 8 + length + ((entry["data_offsets"] as? [Int])?[0] ?? -1)
        let stored = data[start..<start + 4 * 8 * 24].withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        let weight: View<Float> = original.parameters[original.parameterLayout.h[1].attn.c_attn.weight]
        for i in 0..<8 { for o in 0..<24 { #expect(stored[i * 24 + o] == weight[o * 8 + i]) } }
        let config = try #require(
            JSONSerialization.jsonObject(with: contents(folder("hf/config.json"))) as? [String: Any])
        #expect(config["n_positions"] as? Int == 16 && config["model_type"] as? String == "gpt2")
    }

    @Test func unusableLLMC() throws {
        let folder = try TemporaryFolder()
        try StoredModel.export(randomModel().parameters, configuration, endOfText: 256, to: folder("m.bin"))
        let data = try contents(folder("m.bin"))
        func error(_ change: (inout Data) -> Void) throws -> String {
            var copy = data
            change(&copy)
            let path = try folder.write("bad.bin", copy)
            return try #require(throws: ModelFormatError.self) { try ModelFile(path).describe() }.description
        }
        #expect(try error { $0.removeLast() }.contains("truncated"))
        #expect(try error { $0.append(0) }.contains("damaged"))
        #expect(try error { $0[4] = 4 }.contains("version is 4"))
        #expect(try error { $0[0] = 1 }.contains("no model"))
        #expect(try error { $0[20] = 3 }.contains("3 heads do not divide"))
        #expect(try error { $0[19] = 0x7f }.contains("layers"))
        #expect(try error { $0 = Data() }.contains("no model"))
    }

    @Test func unusableHuggingFace() throws {
        let folder = try TemporaryFolder()
        try StoredModel.export(randomModel().parameters, configuration, endOfText: 256, to: folder("hf"))
        let config = try String(contentsOfFile: folder("hf/config.json"), encoding: .utf8)
        let weights = try contents(folder("hf/model.safetensors"))
        func error(_ from: String, _ to: String) throws -> String {
            #expect(config.contains(from))
            _ = try folder.write("hf/config.json", Data(config.replacingOccurrences(of: from, with: to).utf8))
            defer { _ = try? folder.write("hf/config.json", Data(config.utf8)) }
            return try #require(throws: ModelFormatError.self) { _ = try load(folder("hf")) }.description
        }
        #expect(try error("\"gelu_new\"", "\"relu\"").contains("activation_function is not gelu_new"))
        #expect(try error("\"tie_word_embeddings\" : true", "\"tie_word_embeddings\" : false").contains("tie_word"))
        #expect(try error("\"n_layer\" : 2", "\"n_layer\" : 3").contains("h.2.ln_1.weight: it is missing"))
        #expect(try error("\"n_layer\" : 2", "\"n_layer\" : 1").contains("has no such tensor"))
        #expect(try error("\"vocab_size\" : 257", "\"vocab_size\" : 256").contains("wte.weight: its shape is [257, 8]"))
        #expect(try error("\"n_head\"", "\"heads\"").contains("not the configuration"))
        for cut in [4, 100, weights.count - 1] {
            let path = try folder.write("hf/model.safetensors", weights.prefix(cut))
            let error = try #require(throws: ModelFormatError.self) { _ = try load(folder("hf")) }
            #expect(error.description.hasPrefix(path))
        }
        try FileManager.default.removeItem(atPath: folder("hf/config.json"))
        #expect(throws: ModelFormatError.self) { _ = try load(folder("hf")) }
        #expect(throws: ModelFormatError.self) { _ = try load(folder("none")) }
    }
}
