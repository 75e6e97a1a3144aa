import Accuracy
import Kernels
import Tensors

/// A call that is to go wrong at sizes of its own: its right kernel reads other inputs, or its results are changed after it.
struct FaultyCall {
    /// The sizes, by name.
    let sizes: [String: Int]
    /// The arguments that the call has, with their data.
    let arguments: [BoundArgument<Float>]
    /// The threads that it may use.
    let workers: Workers
    /// What the kernel remembers between calls.
    let memory: CommonFault.FaultMemory
    private let make: ([String: UnsafeMutableRawPointer]) -> Void

    /// `call`, that `right` makes rightly.
    init<K: Kernel<Float>>(
        _ call: K, _ presented: Binder<Float>, by right: KernelSet<Float>, _ memory: CommonFault.FaultMemory
    ) {
        sizes = presented.signature.sizesByName
        arguments = presented.arguments.filter(\.isPresent)
        workers = right.workers
        self.memory = memory
        make = { addresses in
            right.run(addresses.isEmpty ? call : call.moved { addresses[$0.argument.name] ?? $0.address })
        }
    }

    /// What is written of it.
    var results: [BoundArgument<Float>] { arguments.filter(\.argument.isResult) }

    /// Makes the call.
    func run() { make([:]) }

    /// Makes the call with the numbers and tokens of inputs changed; nil leaves an argument as it is.
    func run(
        reading number: (Argument) -> ((_ index: Int, _ x: Float) -> Float)?,
        tokens token: (_ token: Int32) -> Int32 = { $0 }
    ) {
        var addresses: [String: UnsafeMutableRawPointer] = [:]
        var memory: [any Sendable] = []
        for bound in arguments where !bound.argument.isResult {
            if bound.tokens.count > 0 {
                let copy = Copied(bound.tokens.buffer.map(token))
                memory.append(copy)
                addresses[bound.argument.name] = UnsafeMutableRawPointer(copy.tensor.view.base)
            } else if let change = number(bound.argument) {
                let copy = Copied(bound.view.buffer.indices.map { change($0, bound.view[$0]) })
                memory.append(copy)
                addresses[bound.argument.name] = UnsafeMutableRawPointer(copy.tensor.view.base)
            }
        }
        withExtendedLifetime(memory) { make(addresses) }
    }

    /// Makes the call, and leaves what the results held before where `isLost` says so.
    func run(losing isLost: (_ argument: Argument, _ index: Int) -> Bool) {
        let before = results.map { Array($0.view.buffer) }
        run()
        for (result, before) in zip(results, before) where result.argument.roundings > 0 {
            for i in before.indices where isLost(result.argument, i) { result.view[i] = before[i] }
        }
    }
}

/// Elements that last as long as this.
private final class Copied<Element: BitwiseCopyable & Sendable>: Sendable {
    let tensor: Tensor<Element>

    init(_ elements: [Element]) { tensor = Tensor(elements) }
}

extension Argument {
    /// Where along the size the element at the flat `index` lies; nil where the argument has it not.
    func position(of index: Int, along size: String) -> Int? {
        stride(along: size).map { index / $0.stride % $0.extent }
    }
}
