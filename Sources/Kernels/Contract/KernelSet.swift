import Tensors

/// A kernel's implementation under a name, such as `fast`.
public struct Implementation<Scalar: KernelScalar>: Sendable {
    /// The name, in flags and reports.
    public let name: String
    /// The contract that it implements.
    public let kernel: any Kernel<Scalar>.Type
    let body: any Sendable
    /// Whether the body does as a call's `overwrites` says; if not, the set clears those results before it.
    let overwrites: Bool

    /// The operation and pass that it implements.
    public var kernelName: KernelName { kernel.name }

    /// The implementation `name` of the kernel that `body` takes; `body` may use the given threads.
    ///
    /// A `body` that `overwrites` looks at the call's ``Signature/overwrites``; one that does not may always add.
    public init<K: Kernel>(
        _ name: String, overwrites: Bool = false, _ body: @escaping @Sendable (K, Workers) -> Void
    ) where K.Scalar == Scalar {
        self.name = name
        self.overwrites = overwrites
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

    /// The name of the implementation of `kernel`, if there is one; `composed` for a fused kernel whose
    /// parts it has.
    public func implementation(of kernel: any Kernel<Scalar>.Type) -> String? {
        implementations[ObjectIdentifier(kernel)]?.name ?? (composes(kernel) ? "composed" : nil)
    }

    private func composes(_ kernel: any Kernel<Scalar>.Type) -> Bool {
        (kernel as? any FusedKernel<Scalar>.Type)?.parts.allSatisfy { implementation(of: $0) != nil } ?? false
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
    /// - Precondition: the set implements `K` or can compose it, and every argument has the number of elements of its
    ///   shape.
    public func run<K: Kernel>(_ call: K) where K.Scalar == Scalar {
        let overwrites = call.check()
        guard let interceptor else { return perform(call, overwrites) }
        // What it hands on may be another call.
        interceptor.intercept(call) { perform($0, $0.check()) }
    }

    private func perform<K: Kernel>(_ call: K, _ overwrites: Overwriting) where K.Scalar == Scalar {
        let implementation = implementations[ObjectIdentifier(K.self)]
        if let body = implementation?.body as? @Sendable (K, Workers) -> Void {
            if !overwrites.isEmpty && implementation?.overwrites == false { call.clearOverwritten() }
            body(call, workers)
        } else if let call = call as? any FusedKernel<Scalar> {
            var plain = self
            plain.interceptor = nil
            call.compose(of: plain)
        } else {
            preconditionFailure("the set has no \(K.name)")
        }
    }
}

extension Kernel {
    /// Checks that the sizes keep their rules, and that each view has as many elements as its shape says; gives what the
    /// call overwrites.
    fileprivate func check() -> Overwriting {
        var (call, binder) = (self, Binder<Scalar>.checking)
        call.bind(&binder)
        if !binder.isSound { preconditionFailure("\(Self.name): \(problem)") }
        return binder.signature.overwrites
    }

    /// What is wrong, in words.
    private var problem: String {
        let presented = presented
        let wrong = presented.arguments.first {
            $0.count != $0.argument.count && ($0.isPresent || !$0.argument.isOptional)
        }
        return presented.signature.problem ?? wrong.map { bound in
            "\(bound.argument.name) has \(bound.count) elements, its shape \(bound.argument.shape) needs "
                + "\(bound.argument.count)"
        } ?? ""
    }

    /// Clears the gradients that the call overwrites.
    fileprivate func clearOverwritten() {
        for bound in results where bound.argument.role == .output { bound.view.fill(0) }
    }
}
