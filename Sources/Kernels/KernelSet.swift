import Tensors

/// A kernel's implementation under a name, such as `fast`.
public struct Implementation<Scalar: KernelScalar>: Sendable {
    /// The name, in flags and reports.
    public let name: String
    /// The contract that it implements.
    public let kernel: any Kernel<Scalar>.Type
    let body: any Sendable

    /// The operation and pass that it implements.
    public var kernelName: KernelName { kernel.name }

    /// The implementation `name` of the kernel that `body` takes; `body` may use the given threads.
    public init<K: Kernel>(_ name: String, _ body: @escaping @Sendable (K, Workers) -> Void) where K.Scalar == Scalar {
        self.name = name
        kernel = K.self
        self.body = body
    }

    /// The implementation `name` of the kernel that `body` takes, on one thread.
    public init<K: Kernel>(_ name: String, _ body: @escaping @Sendable (K) -> Void) where K.Scalar == Scalar {
        self.init(name) { call, _ in body(call) }
    }
}

/// Sees every kernel call of a set, and makes it.
public protocol KernelInterceptor<Scalar>: AnyObject {
    /// The element type of the set.
    associatedtype Scalar: KernelScalar

    /// Called instead of the kernel; `run` makes the call.
    func intercept<K: Kernel>(_ call: K, run: (K) -> Void) where K.Scalar == Scalar
}

/// One implementation for each kernel: what a model runs on.
public struct KernelSet<Scalar: KernelScalar> {
    private var implementations: [ObjectIdentifier: Implementation<Scalar>] = [:]

    /// The threads that each kernel is handed.
    public var workers: Workers
    /// Sees every call, if any.
    public var interceptor: (any KernelInterceptor<Scalar>)?

    /// A set of `implementations`; of two for one kernel, the later counts.
    public init(_ implementations: [Implementation<Scalar>] = [], workers: Workers = .one) {
        self.workers = workers
        for implementation in implementations { use(implementation) }
    }

    /// Takes `implementation` for its kernel, instead of what was there.
    public mutating func use(_ implementation: Implementation<Scalar>) {
        implementations[ObjectIdentifier(implementation.kernel)] = implementation
    }

    /// The name of the implementation of `kernel`, if there is one.
    public func implementation(of kernel: any Kernel<Scalar>.Type) -> String? {
        implementations[ObjectIdentifier(kernel)]?.name
    }

    /// The name of the implementation of the kernel of that name, if there is one.
    public func implementation(named name: KernelName) -> String? {
        implementations.values.first { $0.kernel.name == name }?.name
    }

    /// The kernels of the set, by name.
    public var kernels: [any Kernel<Scalar>.Type] {
        implementations.values.map(\.kernel).sorted { $0.name < $1.name }
    }

    /// Makes the call.
    ///
    /// - Precondition: the set implements `K`, and every argument has the number of elements of its shape.
    public func run<K: Kernel>(_ call: K) where K.Scalar == Scalar {
        guard let body = implementations[ObjectIdentifier(K.self)]?.body as? @Sendable (K, Workers) -> Void else {
            preconditionFailure("the set has no \(K.name)")
        }
        var checker = CountChecker<Scalar>(kernel: K.name)
        var checked = call
        checked.visit(&checker)
        guard let interceptor else { return body(call, workers) }
        interceptor.intercept(call) { body($0, workers) }
    }
}

/// Checks that each view has as many elements as its shape says.
private struct CountChecker<Scalar: KernelScalar>: ArgumentVisitor {
    let kernel: KernelName

    func size(_ name: String, _ value: inout Int) {}
    func require(_ holds: Bool, _ rule: String) { precondition(holds, "\(kernel): \(rule)") }
    func hyperparameter(_ name: String, _ value: inout Float) {}
    func input(_ argument: Argument, _ view: inout View<Scalar>) { check(argument, view.count) }
    func tokens(_ argument: Argument, below bound: Int, _ view: inout View<Int32>) { check(argument, view.count) }
    func result(_ argument: Argument, _ view: inout MutableView<Scalar>) { check(argument, view.count) }

    private func check(_ argument: Argument, _ count: Int) {
        precondition(
            count == argument.count || (argument.isOptional && count == 0),
            "\(kernel): \(argument.name) has \(count) elements, its shape \(argument.shape) needs \(argument.count)")
    }
}
