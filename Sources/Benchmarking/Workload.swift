import Accuracy
import GPT2
import KernelCatalog
import Kernels

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
    /// The channels of the hidden layer.
    let hidden: Int

    /// The shape of that name.
    ///
    /// - Throws: ``ShapeError`` when there is none.
    public init(_ name: String) throws(ShapeError) {
        self.name = name
        guard name != "odd" else {
            // Sizes that no block, tile or vector divides.
            configuration = Configuration(
                blockSize: 127, vocabularySize: 5003, paddedVocabularySize: 5011, layers: 1, heads: 3, channels: 771)
            (batch, sequence, hidden) = (3, 37, 3083)
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
        hidden = 4 * configuration.channels
        (self.batch, self.sequence) = (batch, sequence)
    }

    /// Whether a whole training step is timed at this shape: with less than 8 GB of parameters, gradients and moments.
    var hasStep: Bool {
        name != "odd" && configuration.layers * configuration.channels * configuration.channels < 1 << 25
    }

    /// The step.
    func step(threads: Int) -> StepTask {
        let c = configuration
        return StepTask(
            layers: c.layers, heads: c.heads, channels: c.channels, vocabulary: c.vocabularySize,
            paddedVocabulary: c.paddedVocabularySize, blockSize: c.blockSize, batch: batch, sequence: sequence,
            threads: threads)
    }
}

/// A kernel at one place of a model.
struct Workload: Sendable {
    /// The shape, such as `124M:4x64`.
    let shape: String
    /// The place in the model, such as `fch`.
    let place: String
    /// The kernel.
    let kernel: KernelName
    /// The call.
    let task: KernelTask
    /// Its cost, its memory, and its sizes in words.
    let call: CallShape

    /// The calls of one block of the model and of what surrounds the blocks.
    ///
    /// Every kernel of the catalog is there, a new one too: it gets the sizes that it asks for by name.
    ///
    /// - Throws: ``TaskError`` for a kernel that asks for a size that no model has.
    static func all(
        of shape: BenchmarkShape, operations: Set<String>?, threads: Int
    ) throws(TaskError) -> [Workload] {
        var workloads: [Workload] = []
        for kernel in KernelCatalog.kernels
        where operations?.contains(kernel.name.operation) ?? true {
            for (place, sizes, absent) in places(of: kernel.name.operation, shape) {
                let task = KernelTask(
                    kernel: kernel.name.description, sizes: sizes, absent: absent, threads: threads)
                let call = try self.shape(kernel, task)
                workloads.append(
                    Workload(
                        shape: shape.name, place: place, kernel: kernel.name, task: task, call: call))
            }
        }
        return workloads
    }

    private static func shape<K: Kernel<Float>>(_ kernel: K.Type, _ task: KernelTask) throws(TaskError) -> CallShape {
        try CallShape(kernel, task)
    }

    /// Where an operation stands in the model: the place, its sizes, and the arguments that it goes without there.
    private static func places(
        of operation: String, _ shape: BenchmarkShape
    ) -> [(place: String, sizes: [String: Int], absent: [String])] {
        let (c, C) = (shape.configuration, shape.configuration.channels)
        let stream = shape.batch * shape.sequence * C
        let sizes = [
            "B": shape.batch, "T": shape.sequence, "C": C, "NH": c.heads, "V": c.vocabularySize,
            "Vp": c.paddedVocabularySize, "P": c.blockSize, "N": stream, "t": 10,
        ]
        func with(_ changes: [String: Int]) -> [String: Int] { sizes.merging(changes) { $1 } }
        switch operation {
        case "encoder": return [("embed", sizes, [])]
        case "layernorm": return [("norm", sizes, [])]
        case "matmul":
            return [
                ("qkv", with(["OC": 3 * C]), []), ("attproj", with(["OC": C]), []),
                ("fch", with(["OC": shape.hidden]), []), ("fcproj", with(["C": shape.hidden, "OC": C]), []),
                ("logits", with(["OC": c.paddedVocabularySize]), ["bias", "dbias"]),
            ]
        case "attention", "flash_attention": return [("heads", sizes, [])]
        case "gelu": return [("hidden", with(["N": stream / C * shape.hidden]), [])]
        case "residual": return [("stream", sizes, [])]
        case "adamw": return [("weight", with(["N": C * shape.hidden]), [])]
        case "softmax", "crossentropy", "crossentropy_softmax", "classifier": return [("vocab", sizes, [])]
        default: return [("layer", with(["OC": shape.hidden]), [])]
        }
    }
}
