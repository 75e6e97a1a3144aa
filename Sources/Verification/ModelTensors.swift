import GPT2
import Kernels
import Tensors

/// A tensor of a model in memory, by the name of its dataset in a debug state.
struct ModelTensor {
    /// The group of `float32` and `float64` in the fixture, such as `activations/h.0.ln1`; for a parameter, its dataset.
    let path: String
    /// The name in reports: `ln1`, `dtransformer.wte.weight`.
    let name: String
    /// The block, if it belongs to one's activations or their gradients.
    let block: Int?
    let shape: [Int]
    let view: MutableView<Float>
    /// Whether the fixture has a float64 truth of it: not so for parameters before an update.
    let isResult: Bool
}

/// All tensors of a model, found by the address that a kernel was given.
struct ModelTensors {
    private var tensors: [ModelTensor] = []
    private var indices: [UnsafePointer<Float>: Int] = [:]

    /// The tensors of `model`, which must outlive this.
    init(_ model: borrowing GPT2<Float>) {
        add(model.parameters, "parameters/", isResult: false)
        add(model.activations, "activations/")
        add(model.activationGradients, "gradients/")
        add(model.parameterGradients, "gradients/d")
    }

    /// The tensors with a truth, in the order of memory.
    var results: [ModelTensor] { tensors.filter(\.isResult) }

    /// The tensor whose elements a kernel's view holds.
    subscript(address: UnsafePointer<Float>) -> ModelTensor? { indices[address].map { tensors[$0] } }

    private mutating func add(_ arena: borrowing Arena<Float>, _ prefix: String, isResult: Bool = true) {
        for tensor in arena.layout.tensors {
            let parts = tensor.name.split(separator: ".")
            let block = parts.first == "h" ? Int(parts[1]) : nil
            let name = prefix == "gradients/d" ? "d\(tensor.name)" : block == nil ? tensor.name : String(parts[2])
            let view: MutableView<Float> = arena[tensor]
            indices[UnsafePointer(view.base)] = tensors.count
            tensors.append(
                ModelTensor(
                    path: prefix + tensor.name, name: name, block: block, shape: tensor.shape, view: view,
                    isResult: isResult))
        }
    }
}
