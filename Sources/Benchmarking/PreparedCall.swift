import Foundation
import Kernels
import Tensors

/// A kernel call with its memory, filled from the file of its task.
final class PreparedCall<K: Kernel<Float>> {
    /// The call.
    let call: K
    private let memory: [Memory]
    private let task: KernelTask
    private let content: Data

    /// The call of `task`.
    ///
    /// - Throws: ``TaskError`` where the contract here has other arguments, or the file is not what it says.
    init(_ task: KernelTask) throws(TaskError) {
        self.task = task
        do {
            content = try Data(contentsOf: URL(fileURLWithPath: task.file), options: .alwaysMapped)
        } catch {
            throw TaskError(description: "\(task.file) cannot be read")
        }
        try Self.check(task, content)
        var memory: [Memory] = []
        call = K(sizes: task.sizes, hyperparameters: task.hyperparameters) { argument in
            guard task.arguments.contains(where: { $0.name == argument.name }) else { return nil }
            let place = Memory(argument.count)
            memory.append(place)
            return place.address
        }
        self.memory = memory
        for (argument, place) in zip(task.arguments, memory) { fill(argument, place) }
    }

    private static func check(_ task: KernelTask, _ content: Data) throws(TaskError) {
        func asked(_ arguments: [(String, [Int])]) -> String {
            arguments.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        }
        let contract: Signature
        do {
            contract = try K.signature(sizes: task.sizes)
        } catch {
            throw TaskError(description: error.description)
        }
        let names = Set(task.arguments.map(\.name))
        let own = asked(
            contract.arguments.filter { !$0.isOptional || names.contains($0.name) }.map { ($0.name, $0.shape) })
        let others = asked(task.arguments.map { ($0.name, $0.shape) })
        guard own == others else {
            throw TaskError(description: "\(K.name) takes \(own) here, and is asked for \(others)")
        }
        let end =
            task.arguments.map { ($0.offset ?? 0) + ($0.offset == nil ? 0 : 4 * $0.shape.reduce(1, *)) }.max() ?? 0
        guard end <= content.count,
            !task.arguments.contains(where: { $0.offset.map { $0 < 0 || $0 % 4 != 0 } ?? false })
        else {
            throw TaskError(description: "\(task.file) has \(content.count) bytes, and the task speaks of \(end)")
        }
    }

    /// Sets every result to its start: outputs to NaN, accumulators to what was drawn.
    func reset() {
        for (argument, place) in zip(task.arguments, memory) where argument.isResult { fill(argument, place) }
    }

    private func fill(_ argument: KernelTask.Argument, _ place: Memory) {
        guard let offset = argument.offset else {
            return place.address.assumingMemoryBound(to: Float.self).update(repeating: .nan, count: place.count)
        }
        content.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            place.address.copyMemory(from: base + offset, byteCount: 4 * place.count)
        }
    }

    /// Memory for elements of 4 bytes that starts on a random cache line: where it lies changes a kernel's time by some
    /// percent, and two calls made ready with the same numbers should not always have the same luck.
    private final class Memory {
        private let tensor: Tensor<Float>
        let address: UnsafeMutableRawPointer
        let count: Int

        init(_ count: Int) {
            let start = Int.random(in: 0..<64) * (Tensor<Float>.alignment / MemoryLayout<Float>.stride)
            tensor = Tensor(repeating: 0, count: start + count)
            address = UnsafeMutableRawPointer(tensor.view.base + start)
            self.count = count
        }
    }
}
