import GPT2
import Kernels
import Tensors

/// A debug state: a whole GPT-2 as PyTorch computed it, in float32 and in float64.
package struct StateFixture {
    /// The open file.
    package let file: FixtureFile
    /// The name in reports, such as `tiny`.
    package let model: String
    /// The model's sizes.
    package let configuration: Configuration
    /// B and T.
    package let batch: Int
    package let sequence: Int
    /// The optimizer's steps recorded.
    package let steps: Int
    /// Those of them, from 1, whose parameters and moments are stored.
    package let recordedSteps: [Int]
    /// The optimizer's numbers.
    package let hyperparameters: AdamW.Hyperparameters

    /// Reads the sizes of the state in `file`.
    package init(_ file: FixtureFile) throws(FixtureError) {
        self.file = file
        model = try file.string("model", of: "/")
        configuration = Configuration(
            blockSize: try file.integer("block_size", of: "/"),
            vocabularySize: try file.integer("vocab_size", of: "/"),
            paddedVocabularySize: try file.integer("padded_vocab_size", of: "/"),
            layers: try file.integer("n_layer", of: "/"),
            heads: try file.integer("n_head", of: "/"),
            channels: try file.integer("n_embd", of: "/"))
        batch = try file.integer("B", of: "/")
        sequence = try file.integer("T", of: "/")
        steps = try file.integer("steps", of: "/")
        recordedSteps = try file.integers("recorded_steps", of: "training")
        hyperparameters = AdamW.Hyperparameters(
            learningRate: try file.float("learning_rate", of: "/"), beta1: try file.float("beta1", of: "/"),
            beta2: try file.float("beta2", of: "/"), eps: try file.float("eps", of: "/"),
            weightDecay: try file.float("weight_decay", of: "/"))

        let sizes = [
            ("block_size", configuration.blockSize), ("vocab_size", configuration.vocabularySize),
            ("padded_vocab_size", configuration.paddedVocabularySize), ("n_layer", configuration.layers),
            ("n_head", configuration.heads), ("n_embd", configuration.channels), ("B", batch), ("T", sequence),
        ]
        for (name, value) in sizes where value < 1 || value > 1 << 20 {
            throw file.error(nil, "\(name) is \(value), and must lie between 1 and 2^20")
        }
        let rules = [
            (configuration.channels % configuration.heads == 0, "n_head must divide n_embd"),
            (
                configuration.vocabularySize <= configuration.paddedVocabularySize,
                "vocab_size is above padded_vocab_size"
            ),
            (sequence <= configuration.blockSize, "T is above block_size"),
            (recordedSteps.allSatisfy { (1...max(steps, 1)).contains($0) }, "recorded_steps lie outside the steps"),
        ]
        for (holds, rule) in rules where !holds { throw file.error(nil, rule) }
    }

    /// The micro-batches of a training step, where a batch can be halved: gradients are then overwritten in the first and
    /// added to in the second.
    package var microBatches: Int { batch % 2 == 0 ? 2 : 1 }

    /// A model of the state's sizes with its parameters, and the tokens of step 1; of one micro-batch if `parts` is more
    /// than 1.
    package func makeModel(
        _ kernels: KernelSet<Float>, _ memory: ActivationMemory = .complete, parts: Int = 1
    ) throws(FixtureError) -> GPT2<Float> {
        let model = GPT2<Float>(
            configuration: configuration, batch: batch / parts, sequence: sequence, kernels: kernels, memory: memory)
        for tensor in model.parameterLayout.tensors.tensors {
            try file.load("parameters/\(tensor.name)", tensor.shape, into: model.parameters[tensor])
        }
        try loadTokens(step: 1, of: parts, into: model)
        return model
    }

    /// Gives the model the tokens of `step`, from 1, or those of one `part` of it, from 0.
    package func loadTokens(step: Int, part: Int = 0, of parts: Int = 1, into model: borrowing GPT2<Float>)
        throws(FixtureError)
    {
        let count = batch * sequence / parts
        let inputs = try tokens("inputs", step: step)[part * count..<(part + 1) * count]
        let targets = try tokens("targets", step: step)[part * count..<(part + 1) * count]
        do {
            try model.load(inputs: inputs, targets: targets)
        } catch {
            throw file.error(
                "\(error.name)",
                "token \(error.token) at \(error.position) of step \(step) lies outside the vocabulary of \(error.vocabulary)"
            )
        }
    }

    private func tokens(_ dataset: String, step: Int) throws(FixtureError) -> [Int32] {
        try file.check(dataset, .int32, [max(steps, 1), batch, sequence])
        return try file.read(dataset, Int32.self, elements: (step - 1) * batch * sequence..<step * batch * sequence)
    }

    /// The datasets of results that a complete state of these sizes has, each a group of `float32` and `float64`, with
    /// their shapes.
    package func expectedResults(of model: borrowing GPT2<Float>) -> [String: [Int]] {
        var results: [String: [Int]] = ["training/loss": [steps], "training/grad_norm": [steps]]
        for tensor in model.activationLayout.tensors.tensors { results["activations/\(tensor.name)"] = tensor.shape }
        for tensor in model.gradientLayout.tensors.tensors { results["gradients/\(tensor.name)"] = tensor.shape }
        for tensor in model.parameterLayout.tensors.tensors {
            results["gradients/d\(tensor.name)"] = tensor.shape
            for step in recordedSteps {
                for state in ["parameters", "m", "v"] {
                    results["\(Self.group(step: step))/\(state)/\(tensor.name)"] = tensor.shape
                }
            }
        }
        return results
    }

    /// The group of a recorded step, such as `training/0003`.
    package static func group(step: Int) -> String {
        let digits = String(step)
        return "training/" + String(repeating: "0", count: max(4 - digits.count, 0)) + digits
    }
}
