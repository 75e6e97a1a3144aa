import KernelCatalog
import Kernels
import Sentinel
import Tensors

/// Tensors by the names that the contracts give them.
struct NamedValues<Scalar: KernelScalar> {
    var sizes: [String: Int]
    var numbers: [String: [Scalar]] = [:]
    var tokens: [String: [Int32]] = [:]
    /// What results hold before a call; those that have no entry are NaN, an optional one is absent.
    var initial: [String: [Scalar]] = [:]

    /// The same in another precision.
    func converted<Other: KernelScalar>(to _: Other.Type) -> NamedValues<Other> {
        NamedValues<Other>(
            sizes: sizes, numbers: numbers.mapValues { $0.map { Other($0) } }, tokens: tokens,
            initial: initial.mapValues { $0.map { Other($0) } })
    }
}

/// Makes calls of a set's kernels on tensors given by name.
struct NamedCalls<Scalar: KernelScalar> {
    private let set: KernelSet<Scalar>
    private let kernels: [String: any Kernel<Scalar>.Type]

    /// Calls of the kernels of `set`.
    init(_ set: KernelSet<Scalar>) {
        self.set = set
        kernels = Dictionary(
            uniqueKeysWithValues: KernelCatalog.kernels(over: Scalar.self).map { ($0.name.description, $0) })
    }

    /// The results of a call, by name.
    func run(_ kernel: String, _ values: NamedValues<Scalar>) -> [String: [Scalar]] {
        guard let type = kernels[kernel] else { preconditionFailure("there is no kernel \(kernel)") }
        return open(type, values)
    }

    private func open<K: Kernel<Scalar>>(_: K.Type, _ values: NamedValues<Scalar>) -> [String: [Scalar]] {
        var call = K()
        var binder = Binder(values: values)
        call.visit(&binder)
        set.run(call)
        // A kernel may leave the processor in another state than it found it in; `verify` says so.
        FloatingPointEnvironment.restore()
        return withExtendedLifetime(binder) {
            Dictionary(uniqueKeysWithValues: binder.results.map { ($0, Array($1.buffer)) })
        }
    }

    /// The arguments of a kernel at those sizes.
    func signature(_ kernel: String, _ sizes: [String: Int]) -> Signature<Scalar> {
        guard let type = kernels[kernel] else { preconditionFailure("there is no kernel \(kernel)") }
        func open<K: Kernel<Scalar>>(_: K.Type) -> Signature<Scalar> {
            var (call, signature) = (K(), Signature<Scalar>(sizes: sizes))
            call.visit(&signature)
            return signature
        }
        return open(type)
    }
}

/// Lists the arguments of a kernel.
struct Signature<Scalar: KernelScalar>: ArgumentVisitor {
    let sizes: [String: Int]
    private(set) var inputs: [Argument] = []
    private(set) var tokens: [(argument: Argument, bound: Int)] = []
    private(set) var results: [Argument] = []

    init(sizes: [String: Int]) { self.sizes = sizes }

    mutating func size(_ name: String, _ value: inout Int) { value = sizes[name] ?? 1 }
    mutating func require(_ holds: Bool, _ rule: String) {}
    mutating func hyperparameter(_ name: String, _ value: inout Float) {}
    mutating func input(_ argument: Argument, _ view: inout View<Scalar>) { inputs.append(argument) }
    mutating func tokens(_ argument: Argument, below bound: Int, _ view: inout View<Int32>) {
        tokens.append((argument, bound))
    }
    mutating func result(_ argument: Argument, _ view: inout MutableView<Scalar>) { results.append(argument) }
}

/// Gives a call its tensors by name, each in memory of its own.
private struct Binder<Scalar: KernelScalar>: ArgumentVisitor {
    let values: NamedValues<Scalar>
    private(set) var results: [(name: String, view: MutableView<Scalar>)] = []
    private var memory: [AnyObject] = []

    init(values: NamedValues<Scalar>) { self.values = values }

    mutating func size(_ name: String, _ value: inout Int) { value = values.sizes[name] ?? 1 }
    mutating func require(_ holds: Bool, _ rule: String) { precondition(holds, rule) }
    mutating func hyperparameter(_ name: String, _ value: inout Float) {}
    mutating func input(_ argument: Argument, _ view: inout View<Scalar>) {
        guard let numbers = values.numbers[argument.name] else { return }
        view = View(place(numbers))
    }
    mutating func tokens(_ argument: Argument, below bound: Int, _ view: inout View<Int32>) {
        view = View(place(values.tokens[argument.name] ?? []))
    }
    mutating func result(_ argument: Argument, _ view: inout MutableView<Scalar>) {
        let initial = values.initial[argument.name]
        if argument.isOptional && initial == nil { return }
        view = place(initial ?? [Scalar](repeating: .nan, count: argument.count))
        results.append((argument.name, view))
    }

    private mutating func place<Element: BitwiseCopyable & Sendable>(_ elements: [Element]) -> MutableView<Element> {
        let block = Block(elements)
        memory.append(block)
        return block.view
    }

    /// Elements with room around them: a kernel that strays a little is caught by `verify`, and does no harm here.
    private final class Block<Element: BitwiseCopyable & Sendable> {
        private let tensor: Tensor<Element>
        let view: MutableView<Element>

        init(_ elements: [Element]) {
            let room = 64
            let filling = elements.first.map { [Element](repeating: $0, count: room) } ?? []
            tensor = Tensor(filling + elements + filling)
            view = tensor.view.slice(filling.count..<filling.count + elements.count)
        }
    }
}
