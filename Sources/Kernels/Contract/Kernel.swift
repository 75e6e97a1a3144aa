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

    /// The name of the function in the C ABI, such as `layernorm_forward`.
    public var symbol: String { "\(operation)_\(pass.rawValue)" }

    public static func < (a: KernelName, b: KernelName) -> Bool { a.description < b.description }
}

/// One call of one pass of an operation: a value that holds the arguments. This is the contract that every
/// implementation meets.
///
/// The type is the one place that says what the operation is: its sizes and arguments, how it may round, how its inputs are
/// drawn, what it costs, and along which sizes it can be computed position by position. Whoever needs such a fact asks it.
public protocol Kernel<Scalar>: Sendable {
    /// The element type of the tensors.
    associatedtype Scalar: KernelScalar
    /// The same kernel over `Double`: what the truth is computed with, and its rounding error.
    associatedtype InDouble: KernelInDouble

    /// The operation and pass.
    static var name: KernelName { get }

    /// A call with sizes of 0 and empty views, to be filled in by ``bind(_:)``.
    init()

    /// Presents every size and hyperparameter, and every argument, each in the order of the C ABI.
    mutating func bind(_ b: inout Binder<Scalar>)

    /// The floating-point operations and the bytes that the mathematics asks for, at this call's sizes.
    var cost: Cost { get }
}

/// A kernel over `Double`, whose results are the truth.
public protocol KernelInDouble: Kernel where Scalar == Double, InDouble == Self {
    /// Writes the rounding error ε of every element, to first order and in units of u, into the results of `ε`: those of a
    /// right implementation in any precision, given this call's inputs and results. See ``RoundingError``.
    ///
    /// - Parameters:
    ///   - start: a call whose results hold what this call's held before it.
    ///   - law: how errors come together in sums. Without sums, it changes nothing.
    func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw)
}

/// A kernel that computes a derivative.
public protocol BackwardKernel<Scalar>: Kernel {
    /// What it is the derivative of.
    ///
    /// An input of the same name as a result of those calls is what they left, and not drawn; one that is called `d` and
    /// such a name is a cotangent.
    static var derivative: Derivative<Scalar> { get }
}

/// The forward calls that a backward kernel differentiates.
public struct Derivative<Scalar: KernelScalar> {
    /// The kernels, in order; each may read what those before it wrote.
    public let forward: [any Kernel<Scalar>.Type]
    /// The kernel by whose contract the last results round.
    public let rounding: any Kernel<Scalar>.Type

    /// The derivative of one call.
    public init(of kernel: any Kernel<Scalar>.Type) {
        forward = [kernel]
        rounding = kernel
    }

    /// The derivative of several calls at once, which round no more than `rounding` allows.
    public init(of forward: [any Kernel<Scalar>.Type], roundingAs rounding: any Kernel<Scalar>.Type) {
        self.forward = forward
        self.rounding = rounding
    }
}

/// A kernel that does the work of several. A set that has no implementation of it composes it of those.
public protocol FusedKernel<Scalar>: Kernel {
    /// The plain kernels that it is composed of.
    static var parts: [any Kernel<Scalar>.Type] { get }

    /// Makes the call by the plain kernels of `set`.
    func compose(of set: KernelSet<Scalar>)
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

// MARK: - What can be asked of any call

extension Kernel {
    /// Everything that the call takes, without its data.
    public var signature: Signature { presented.signature }

    /// Every argument with its data.
    public var arguments: [BoundArgument<Scalar>] { presented.arguments }

    /// The arguments that are written or added to and that the call has.
    public var results: [BoundArgument<Scalar>] { arguments.filter { $0.argument.isResult && $0.isPresent } }

    /// Both, for one walk over the contract.
    public var presented: Binder<Scalar> {
        var (call, binder) = (self, Binder<Scalar>())
        call.bind(&binder)
        return binder
    }

    /// What a call of those sizes takes.
    ///
    /// - Throws: ``SignatureError`` where a size is missing, or breaks its rule.
    public static func signature(
        sizes: [String: Int], overwrites: Overwriting = []
    ) throws(SignatureError) -> Signature {
        var missing: String?
        let source = Binder<Scalar>.Source(
            size: { size in
                if sizes[size.name] == nil { missing = missing ?? size.name }
                return sizes[size.name] ?? 1
            }, overwrites: overwrites)
        var (call, binder) = (Self(), Binder(source))
        call.bind(&binder)
        if let missing { throw SignatureError(description: "\(name): the size \(missing) is not given") }
        if let problem = binder.signature.problem { throw SignatureError(description: "\(name): \(problem)") }
        return binder.signature
    }

    /// Sizes that keep the rules, each chosen by `choose` from its least and what it is a multiple of.
    public static func sizes(_ choose: @escaping (Size) -> Int) -> [String: Int] {
        var (call, binder) = (Self(), Binder<Scalar>(.init(size: choose)))
        call.bind(&binder)
        return binder.signature.sizesByName
    }

    /// A call of those sizes, each argument at the address that `place` gives it; nil leaves it out.
    ///
    /// - Precondition: ``signature(sizes:overwrites:)`` accepts the sizes, and only optional arguments are left out.
    public init(
        sizes: [String: Int], hyperparameters: [String: Float] = [:], overwrites: Overwriting = [],
        place: (Argument) -> UnsafeMutableRawPointer?
    ) {
        self.init()
        withoutActuallyEscaping(place) { place in
            var binder = Binder<Scalar>(
                .init(
                    size: { size in
                        guard let value = sizes[size.name] else {
                            preconditionFailure("\(Self.name): no size \(size.name)")
                        }
                        return value
                    }, hyperparameter: { hyperparameters[$0] }, overwrites: overwrites, place: { place($0.argument) }))
            bind(&binder)
            precondition(binder.signature.problem == nil, "\(Self.name): \(binder.signature.problem ?? "")")
        }
    }

    /// The same call with each argument at the address that `place` gives it; nil leaves it out.
    public func moved(_ place: (BoundArgument<Scalar>) -> UnsafeMutableRawPointer?) -> Self {
        var call = self
        withoutActuallyEscaping(place) { place in
            var binder = Binder<Scalar>(.init(place: place))
            call.bind(&binder)
        }
        return call
    }
}
