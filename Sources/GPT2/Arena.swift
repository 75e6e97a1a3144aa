import Kernels
import Tensors

/// Named tensors in one allocation.
public struct Arena<Scalar: KernelScalar>: ~Copyable {
    /// The names, shapes and places of the tensors.
    public let layout: TensorLayout
    private let storage: Tensor<Scalar>

    /// An arena of that layout, every element `value`.
    public init(_ layout: TensorLayout, repeating value: Scalar = 0) {
        self.layout = layout
        storage = Tensor(repeating: value, count: layout.count)
    }

    /// Every element, with the padding between tensors.
    public var elements: MutableView<Scalar> { storage.view }

    /// The elements of a tensor of this arena's layout, for writing.
    public subscript(tensor: TensorSpecification) -> MutableView<Scalar> { storage.view.slice(tensor.range) }

    /// The elements of a tensor of this arena's layout, for reading.
    public subscript(tensor: TensorSpecification) -> View<Scalar> { View(storage.view.slice(tensor.range)) }

    /// Sets every element to `value`.
    public func fill(_ value: Scalar) { storage.view.fill(value) }
}
