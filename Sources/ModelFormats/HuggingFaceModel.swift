import Foundation
import GPT2
import Kernels
import Platform
import Tensors

/// A GPT-2 as Hugging Face's transformers store it: a folder with `config.json` and `model.safetensors`.
///
/// Their linear layers are `Conv1D`, whose weights are the transpose of ours; the head is the token embedding, whose
/// vocabulary is not padded.
///
/// Source: transformers `modeling_gpt2.py`, `configuration_gpt2.py`.
struct HuggingFaceModel {
    let folder: String
    let configuration: Configuration
    private let weights: Safetensors

    private struct Config: Codable {
        var architectures: [String]? = ["GPT2LMHeadModel"]
        var model_type: String? = "gpt2"
        var vocab_size: Int
        var n_positions: Int
        var n_embd: Int
        var n_layer: Int
        var n_head: Int
        var n_inner: Int?
        var activation_function: String? = "gelu_new"
        var layer_norm_epsilon: Double? = 1e-5
        var scale_attn_weights: Bool? = true
        var scale_attn_by_inverse_layer_idx: Bool? = false
        var tie_word_embeddings: Bool? = true
        var add_cross_attention: Bool? = false
        var bos_token_id: Int?
        var eos_token_id: Int?
    }

    private static func configPath(_ folder: String) -> String { folder + "/config.json" }
    static func weightsPath(_ folder: String) -> String { folder + "/model.safetensors" }

    /// Opens the model in `folder`.
    init(readingFrom folder: String) throws(ModelFormatError) {
        let path = Self.configPath(folder)
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ModelFormatError(path, "cannot be read; a model of Hugging Face has it beside model.safetensors")
        }
        guard let config = try? JSONDecoder().decode(Config.self, from: data) else {
            throw ModelFormatError(path, "it is not the configuration of a GPT-2")
        }
        let rules: [(holds: Bool, field: String, rule: String)] = [
            (config.model_type == "gpt2", "model_type", "gpt2"),
            (
                ["gelu_new", "gelu_pytorch_tanh"].contains(config.activation_function ?? "gelu_new"),
                "activation_function", "gelu_new"
            ),
            (config.n_inner ?? 4 * config.n_embd == 4 * config.n_embd, "n_inner", "4 · n_embd"),
            (config.layer_norm_epsilon ?? 1e-5 == 1e-5, "layer_norm_epsilon", "1e-5"),
            (config.scale_attn_weights ?? true, "scale_attn_weights", "true"),
            (!(config.scale_attn_by_inverse_layer_idx ?? false), "scale_attn_by_inverse_layer_idx", "false"),
            (config.tie_word_embeddings ?? true, "tie_word_embeddings", "true"),
            (!(config.add_cross_attention ?? false), "add_cross_attention", "false"),
        ]
        for rule in rules where !rule.holds {
            throw ModelFormatError(path, "\(rule.field) is not \(rule.rule), and such models are not supported")
        }
        let vocabulary = config.vocab_size
        configuration = try Configuration(
            checking: path, blockSize: config.n_positions, vocabularySize: vocabulary,
            paddedVocabularySize: Configuration.padded(vocabulary), layers: config.n_layer, heads: config.n_head,
            channels: config.n_embd)
        self.folder = folder
        if FileManager.default.fileExists(atPath: Self.weightsPath(folder) + ".index.json") {
            throw ModelFormatError(
                Self.weightsPath(folder),
                "the weights lie in several files; save the model again with "
                    + "save_pretrained(..., max_shard_size=\"100GB\")")
        }
        weights = try Safetensors(readingFrom: Self.weightsPath(folder))
    }

    /// Reads the parameters, and checks that the file has no others.
    func loadParameters(into parameters: borrowing Arena<Float>) throws(ModelFormatError) {
        let layout = ParameterLayout(configuration)
        var unread = Set(weights.entries.keys)
        for tensor in layout.tensors.tensors {
            let (name, entry) = try find(tensor.name)
            unread.remove(name)
            let shape = Self.shape(of: tensor, configuration)
            guard entry.shape == shape else {
                throw ModelFormatError(
                    weights.path, "\(name): its shape is \(entry.shape), and config.json asks for \(shape)")
            }
            let view: MutableView<Float> = parameters[tensor]
            if Self.isTransposed(tensor) {
                let stored = Tensor<Float>(repeating: 0, count: tensor.count)
                weights.read(entry, into: stored.view)
                transpose(View(stored.view), rows: shape[0], columns: shape[1], into: view)
            } else {
                weights.read(entry, into: view.slice(0..<shape.reduce(1, *)))
            }
        }
        try checkHead(layout, parameters, &unread)
        // Older files hold the causal mask as well.
        if let other = unread.filter({ !$0.hasSuffix(".attn.bias") && !$0.hasSuffix(".attn.masked_bias") }).min() {
            throw ModelFormatError(weights.path, "\(other): a GPT-2 of this configuration has no such tensor")
        }
    }

    private func find(_ key: String) throws(ModelFormatError) -> (String, Safetensors.Entry) {
        // The weights that OpenAI published have no prefix.
        for name in [key, String(key.dropFirst("transformer.".count))] {
            if let entry = weights.entries[name] { return (name, entry) }
        }
        throw ModelFormatError(weights.path, "\(key): it is missing; is this the model of config.json?")
    }

    private func checkHead(
        _ layout: ParameterLayout, _ parameters: borrowing Arena<Float>, _ unread: inout Set<String>
    ) throws(ModelFormatError) {
        let name = "lm_head.weight"
        guard let head = weights.entries[name] else { return }
        unread.remove(name)
        let embedding: View<Float> = parameters[layout.wte]
        let count = configuration.vocabularySize * configuration.channels
        let stored = Tensor<Float>(repeating: 0, count: head.shape.reduce(1, *))
        weights.read(head, into: stored.view)
        guard stored.view.count == count, (0..<count).allSatisfy({ stored.view[$0] == embedding[$0] }) else {
            throw ModelFormatError(weights.path, "\(name): it differs from the token embedding, and they must be tied")
        }
    }

    /// Writes a model into `folder`, which is made.
    static func write(
        _ parameters: borrowing Arena<Float>, _ configuration: Configuration, endOfText: Int32?, to folder: String
    ) throws(FileWriteError) {
        let c = configuration
        var config = Config(
            vocab_size: c.vocabularySize, n_positions: c.blockSize, n_embd: c.channels, n_layer: c.layers,
            n_head: c.heads)
        config.bos_token_id = endOfText.map(Int.init)
        config.eos_token_id = config.bos_token_id
        guard let json = try? JSON.data(config) else { throw FileWriteError(configPath(folder), "it cannot be made") }
        try AtomicFile.write(json, to: configPath(folder))
        let layout = ParameterLayout(c)
        let tensors = layout.tensors.tensors
        try Safetensors.write(tensors.map { ($0.name, shape(of: $0, c)) }, to: weightsPath(folder)) { name in
            guard let tensor = layout.tensors[name] else { return Data() }
            let view: MutableView<Float> = parameters[tensor]
            guard isTransposed(tensor) else {
                return StoredFloats.float32.data(View(view.slice(0..<shape(of: tensor, c).reduce(1, *))))
            }
            let stored = Tensor<Float>(repeating: 0, count: tensor.count)
            transpose(View(view), rows: tensor.shape[0], columns: tensor.shape[1], into: stored.view)
            return StoredFloats.float32.data(View(stored.view))
        }
    }

    private static func isTransposed(_ tensor: TensorSpecification) -> Bool {
        tensor.shape.count == 2 && tensor.name.contains(".h.")
    }

    private static func shape(of tensor: TensorSpecification, _ configuration: Configuration) -> [Int] {
        if tensor.name == "transformer.wte.weight" { return [configuration.vocabularySize, configuration.channels] }
        return isTransposed(tensor) ? tensor.shape.reversed() : tensor.shape
    }
}

/// Writes the transpose of a matrix of `rows` by `columns`.
private func transpose(_ matrix: View<Float>, rows: Int, columns: Int, into result: MutableView<Float>) {
    for row in 0..<rows {
        for column in 0..<columns { result[column * rows + row] = matrix[row * columns + column] }
    }
}
