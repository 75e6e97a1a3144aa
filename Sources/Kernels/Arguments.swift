import Tensors

/// The sizes and tensors of a call, gathered by ``Kernel/visit(_:)``.
public struct Arguments<Scalar: KernelScalar>: ArgumentVisitor {
    /// The sizes, in the order of the contract.
    public private(set) var sizes: [Int] = []
    /// What is only read, tokens left out.
    public private(set) var inputs: [View<Scalar>] = []
    /// What is written or added to.
    public private(set) var results: [(argument: Argument, view: MutableView<Scalar>)] = []

    /// The arguments of `call`.
    public init<K: Kernel<Scalar>>(_ call: K) {
        var call = call
        call.visit(&self)
    }

    public mutating func size(_ name: String, _ value: inout Int) { sizes.append(value) }
    public mutating func require(_ holds: Bool, _ rule: String) {}
    public mutating func hyperparameter(_ name: String, _ value: inout Float) {}
    public mutating func tokens(_ argument: Argument, below bound: Int, _ view: inout View<Int32>) {}
    public mutating func input(_ argument: Argument, _ view: inout View<Scalar>) { inputs.append(view) }
    public mutating func result(_ argument: Argument, _ view: inout MutableView<Scalar>) {
        results.append((argument, view))
    }
}
