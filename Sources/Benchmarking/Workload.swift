import Accuracy
import GPT2
import KernelCatalog
import Kernels
import Tensors

/// A kernel at one place of a model.
struct Workload: Sendable {
    /// The shape, such as `124M:4x64`.
    let shape: String
    /// The place in the model, such as `fch`.
    let place: String
    /// The kernel.
    let kernel: any Kernel<Float>.Type
    /// The call.
    let call: DrawnCall
    /// What it takes, in words, such as `B 4, T 64, C 768`.
    let sizes: String
    /// What it asks of the machine.
    let demand: Demand

    /// The name of the kernel.
    var name: KernelName { kernel.name }

    /// The most bytes of a call that is timed: a machine should not need more memory than for a step of the model.
    static let most = 2 << 30

    /// A call of `kernel` at a place.
    ///
    /// - Precondition: the contract accepts its sizes.
    init<K: Kernel<Float>>(_ kernel: K.Type, shape: String, place: String, _ call: DrawnCall) {
        (self.kernel, self.shape, self.place, self.call) = (kernel, shape, place, call)
        let typed = K(sizes: call.sizes) { _ in nil }
        let signature = typed.signature
        let arguments = signature.arguments.filter { !call.absent.contains($0.name) }
        func count(_ holds: (Argument) -> Bool) -> Int { arguments.filter(holds).reduce(0) { $0 + $1.count } }
        let (cost, all) = (typed.cost, count { _ in true })
        let (overwritten, updated) = (count { $0.role == .output }, count { $0.role == .accumulator })
        let moved = Double(max(all + updated, 1))
        demand = Demand(
            operations: cost.operations, bytes: cost.bytes,
            mix: Demand.Mix(overwritten: Double(overwritten) / moved, updated: Double(2 * updated) / moved),
            footprint: min(4 * all, cost.bytes))
        sizes = K.words(forSizes: call.sizes)
    }

    /// The calls that the model of a shape makes of the kernels of `catalog`, in the order of the catalog; and one of each
    /// kernel that the model does not have, at the model's sizes of those names.
    static func all(of shape: ModelShape, operations: Set<String>?, catalog: KernelCatalog) -> [Workload] {
        let recorded = CallRecorder.calls(of: shape.configuration, batch: shape.batch, sequence: shape.sequence)
        return catalog.kernels.filter { operations?.contains($0.name.operation) ?? true }.flatMap { kernel in
            let calls = recorded.filter { $0.name == kernel.name }
            return calls.isEmpty
                ? [Self.invented(kernel, shape, recorded.map(\.sizes))]
                : calls.map {
                    Workload(
                        kernel, shape: shape.name, place: $0.place, DrawnCall(sizes: $0.sizes, absent: $0.absent))
                }
        }
    }

    /// A call with the first extent that the model has for a size of that name, or some that the contract allows.
    private static func invented<K: Kernel<Float>>(
        _ kernel: K.Type, _ shape: ModelShape, _ recorded: [[String: Int]]
    ) -> Workload {
        let sizes = K.sizes { size in
            let extent = recorded.lazy.compactMap { $0[size.name] }.first ?? 64
            return max(extent, size.least) / size.divisor * size.divisor
        }
        return Workload(kernel, shape: shape.name, place: "alone", DrawnCall(sizes: sizes))
    }

    /// The call's arguments in a file.
    ///
    /// - Throws: ``TaskError`` when it cannot be written.
    func file(by reference: KernelSet<Double>) throws(TaskError) -> CallFile {
        try CallFile(kernel, call, by: reference)
    }

    /// What it should compute.
    ///
    /// - Throws: `SignatureError` where the sizes cannot be used.
    func truth(by reference: KernelSet<Double>) throws(SignatureError) -> Truth {
        try Truth(call, of: kernel, by: reference)
    }
}
