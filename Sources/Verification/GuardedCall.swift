import Kernels
import Sentinel
import Tensors

/// A kernel's call on memory of its own that is guarded, filled from a case.
final class GuardedCall<K: Kernel> where K.Scalar == Float {
    /// The call.
    private(set) var call = K()
    /// The results' views, in the order of the case.
    private(set) var results: [MutableView<Float>] = []
    private let kernelCase: KernelCase
    private var buffers: [(name: String, buffer: GuardedBuffer)] = []

    /// A call of the sizes of `kernelCase`, its arguments placed so; ``fill(asDecoy:)`` comes next.
    init(_ kernelCase: KernelCase, _ placement: GuardedBuffer.Placement) {
        self.kernelCase = kernelCase
        var builder = Builder(kernelCase: kernelCase, placement: placement)
        call.visit(&builder)
        buffers = builder.buffers
        results = builder.results
    }

    /// Fills in inputs and starting values; what is overwritten starts as NaN.
    ///
    /// A decoy has every array of floats in reverse, so that a kernel that answers the next call from memory is wrong.
    func fill(asDecoy: Bool) {
        for (name, buffer) in buffers {
            switch kernelCase.inputs[name] {
            case .floats(let values): Self.fill(buffer, with: asDecoy ? values.reversed() : values)
            case .tokens(let values): Self.fill(buffer, with: values)
            case nil: continue
            }
        }
        for (view, result) in zip(results, kernelCase.results) {
            guard let initial = result.initial else {
                view.fill(.nan)
                continue
            }
            _ = view.buffer.update(fromContentsOf: asDecoy ? initial.reversed() : initial)
        }
    }

    /// What the kernel did to its arguments that it must not: changed an input, or left an argument's bounds.
    var trespasses: [(argument: String, note: String)] {
        buffers.compactMap { name, buffer in
            let offences =
                switch kernelCase.inputs[name] {
                case .floats(let values): values.withUnsafeBytes { buffer.offences(asInput: $0) }
                case .tokens(let values): values.withUnsafeBytes { buffer.offences(asInput: $0) }
                case nil: buffer.offences(asInput: nil)
                }
            return offences.first.map { (name, $0) }
        }
    }

    private static func fill<T: BitwiseCopyable & Sendable>(_ buffer: GuardedBuffer, with values: [T]) {
        _ = buffer.view(of: T.self).buffer.update(fromContentsOf: values)
    }
}

/// Gives a call its sizes and its memory.
private struct Builder: ArgumentVisitor {
    let kernelCase: KernelCase
    let placement: GuardedBuffer.Placement
    var buffers: [(name: String, buffer: GuardedBuffer)] = []
    var results: [MutableView<Float>] = []

    mutating func size(_ name: String, _ value: inout Int) { value = kernelCase.sizes[name] ?? 0 }
    mutating func require(_ holds: Bool, _ rule: String) {}
    mutating func overwriting(_ value: inout Overwriting) { value = kernelCase.overwrites }
    mutating func hyperparameter(_ name: String, _ value: inout Float) {
        value = kernelCase.hyperparameters[name] ?? 0
    }
    mutating func input(_ argument: Argument, _ view: inout View<Float>) { allocate(argument, &view) }
    mutating func tokens(_ argument: Argument, below bound: Int, _ view: inout View<Int32>) {
        allocate(argument, &view)
    }

    mutating func result(_ argument: Argument, _ view: inout MutableView<Float>) {
        guard kernelCase.results.contains(where: { $0.argument.name == argument.name }) else { return }
        let buffer = GuardedBuffer(of: Float.self, count: argument.count, placement)
        buffers.append((argument.name, buffer))
        view = buffer.view(of: Float.self)
        results.append(view)
    }

    private mutating func allocate<T>(_ argument: Argument, _ view: inout View<T>) {
        guard kernelCase.inputs[argument.name] != nil else { return }
        let buffer = GuardedBuffer(of: T.self, count: argument.count, placement)
        buffers.append((argument.name, buffer))
        view = View(buffer.view(of: T.self))
    }
}
