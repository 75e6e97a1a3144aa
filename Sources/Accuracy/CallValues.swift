import Kernels
import Tensors

/// What a call takes, by the names of its contract, without the memory.
public struct CallValues<Scalar: KernelScalar>: Sendable {
    /// The sizes.
    public var sizes: [String: Int]
    /// The numbers that are no sizes; the contract's own where there is no entry.
    public var hyperparameters: [String: Float]
    /// Which results are written instead of added to.
    public var overwrites: Overwriting
    /// The optional arguments that the call goes without.
    public var absent: Set<String>
    /// The elements of inputs, and those that a result holds before which is added to or changed in place.
    public var numbers: [String: [Scalar]]
    /// The tokens.
    public var tokens: [String: [Int32]]

    /// Values as given.
    public init(
        sizes: [String: Int], hyperparameters: [String: Float] = [:], overwrites: Overwriting = [],
        absent: Set<String> = [], numbers: [String: [Scalar]] = [:], tokens: [String: [Int32]] = [:]
    ) {
        (self.sizes, self.hyperparameters, self.overwrites) = (sizes, hyperparameters, overwrites)
        (self.absent, self.numbers, self.tokens) = (absent, numbers, tokens)
    }

    /// The same in another precision.
    @specialized(where Scalar == Double, Other == Float)
    @specialized(where Scalar == Float, Other == Double)
    public func converted<Other: KernelScalar>(to _: Other.Type = Other.self) -> CallValues<Other> {
        CallValues<Other>(
            sizes: sizes, hyperparameters: hyperparameters, overwrites: overwrites, absent: absent,
            numbers: numbers.mapValues { $0.map { Other($0) } }, tokens: tokens)
    }

    /// What the kernel of `set` makes of them, by the names of its results.
    public func results<K: Kernel<Scalar>>(of _: K.Type, by set: KernelSet<Scalar>) -> [String: [Scalar]] {
        let owned = OwnedCall<K>(self)
        set.run(owned.call)
        return owned.results
    }
}

extension CallValues<Double> {
    /// The rounding error ε of every element of the results, given what they should hold. See ``KernelInDouble``.
    public func roundingErrors<K: KernelInDouble>(
        of _: K.Type, truth: [String: [Double]], by law: ErrorLaw
    ) -> [String: [Double]] {
        let start = OwnedCall<K>(self)
        for bound in start.call.results where bound.argument.role == .output { bound.view.fill(0) }
        let right = start.withResults { argument in
            guard let truth = truth[argument.name] else {
                preconditionFailure("\(K.name): no truth of \(argument.name)")
            }
            return truth
        }
        // What the contract forgets stays NaN, and no bound.
        let errors = start.withResults { [Double](repeating: .nan, count: $0.count) }
        right.call.roundingErrors(into: errors.call, from: start.call, by: law)
        return errors.results
    }
}

/// A call with memory of its own for each argument; what is overwritten starts as NaN.
///
/// There is room around each: a kernel that strays a little is caught by `verify`, and does no harm here.
public struct OwnedCall<K: Kernel>: Sendable {
    /// The call; valid as long as this lives.
    public let call: K
    private let memory: [any Sendable]

    /// A call of those values.
    ///
    /// - Precondition: they are all that the contract asks for, in its shapes.
    public init(_ values: CallValues<K.Scalar>) {
        var memory: [any Sendable] = []
        func place<Element: BitwiseCopyable & Sendable>(
            _ elements: [Element], _ argument: Argument
        ) -> UnsafeMutableRawPointer { Self.place(elements, argument, in: &memory) }
        call = K(sizes: values.sizes, hyperparameters: values.hyperparameters, overwrites: values.overwrites) {
            argument in
            if argument.isOptional && values.absent.contains(argument.name) { return nil }
            if argument.role == .output { return place([K.Scalar](repeating: .nan, count: argument.count), argument) }
            switch argument.elements {
            case .numbers:
                guard let numbers = values.numbers[argument.name] else { break }
                return place(numbers, argument)
            case .tokens:
                guard let tokens = values.tokens[argument.name] else { break }
                return place(tokens, argument)
            }
            preconditionFailure("\(K.name): there are no values of \(argument.name)")
        }
        self.memory = memory
    }

    private init(_ call: K, _ memory: [any Sendable]) { (self.call, self.memory) = (call, memory) }

    /// The same call with results of its own, which hold those values; its inputs are shared.
    func withResults(_ values: (Argument) -> [K.Scalar]) -> OwnedCall {
        var memory = memory
        let call = call.moved { bound in
            guard bound.argument.isResult, bound.isPresent else { return bound.address }
            return Self.place(values(bound.argument), bound.argument, in: &memory)
        }
        return OwnedCall(call, memory)
    }

    private static func place<Element: BitwiseCopyable & Sendable>(
        _ elements: [Element], _ argument: Argument, in memory: inout [any Sendable]
    ) -> UnsafeMutableRawPointer {
        precondition(elements.count == argument.count, "\(K.name): \(argument.name) has \(elements.count) elements")
        let block = Block(elements)
        memory.append(block)
        return UnsafeMutableRawPointer(block.view.base)
    }

    /// What the results hold now, by name.
    public var results: [String: [K.Scalar]] {
        withExtendedLifetime(memory) {
            Dictionary(uniqueKeysWithValues: call.results.map { ($0.argument.name, Array($0.view.buffer)) })
        }
    }
}

/// Elements with room around them.
private final class Block<Element: BitwiseCopyable & Sendable>: Sendable {
    private let tensor: Tensor<Element>
    let view: MutableView<Element>

    init(_ elements: [Element]) {
        guard let filling = elements.first else {
            tensor = Tensor([])
            view = .empty
            return
        }
        let room = 4 * Tensor<Element>.alignment / MemoryLayout<Element>.stride
        tensor = Tensor(repeating: filling, count: elements.count + 2 * room)
        view = tensor.view.slice(room..<room + elements.count)
        _ = view.buffer.update(fromContentsOf: elements)
    }
}
