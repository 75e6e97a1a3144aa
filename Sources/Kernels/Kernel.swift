import Tensors

/// The direction in which an operation runs.
public enum Pass: String, Sendable, Codable, CaseIterable {
    /// Outputs from inputs.
    case forward
    /// Gradients of inputs, added to what is there.
    case backward
    /// State in place.
    case update
}

/// What a kernel is called: its operation and its pass, as in reports and flags.
public struct KernelName: Sendable, Hashable, Codable, Comparable, CustomStringConvertible {
    /// The operation, such as `layernorm`.
    public let operation: String
    /// The pass.
    public let pass: Pass

    /// The name of `operation` in `pass`.
    public init(_ operation: String, _ pass: Pass) {
        self.operation = operation
        self.pass = pass
    }

    public var description: String { "\(operation) \(pass.rawValue)" }

    public static func < (a: KernelName, b: KernelName) -> Bool { a.description < b.description }
}

/// One call of one pass of an operation: a value that holds the arguments. This is the contract that every
/// implementation meets.
///
/// The type is the one place that names the operation's arguments and sizes. Whoever needs them (the fixture's reader,
/// the harness that poisons outputs, the benchmark that allocates inputs, the reports) calls ``visit(_:)``.
public protocol Kernel<Scalar>: Sendable {
    /// The element type of the tensors.
    associatedtype Scalar: KernelScalar

    /// The operation and pass.
    static var name: KernelName { get }

    /// A call with sizes of 0 and empty views, to be filled in by ``visit(_:)``.
    init()

    /// Presents the sizes, then the hyperparameters, then every argument, in the order of the C ABI.
    mutating func visit(_ visitor: inout some ArgumentVisitor<Scalar>)

    /// The results that are written where the contract says they are added to.
    var overwrites: Overwriting { get }

    /// The floating-point operations and the bytes that the mathematics asks for, at this call's sizes.
    var cost: Cost { get }
}

extension Kernel {
    /// None.
    public var overwrites: Overwriting { [] }
}

/// What a kernel call costs at least, whatever the implementation.
public struct Cost: Sendable, Hashable {
    /// Additions, multiplications, divisions and transcendental functions, each counted as one.
    public var operations: Int
    /// Bytes of float32 arguments read and written, each once.
    public var bytes: Int

    /// A cost of `operations` on `elements` float32 elements moved.
    public init(operations: Int, elements: Int) {
        self.operations = operations
        self.bytes = 4 * elements
    }
}
