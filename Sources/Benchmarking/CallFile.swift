import Accuracy
import Kernels
import Platform

/// A drawn call in a file without a name, for workers to read as long as this is there.
package final class CallFile {
    private let elements: ElementFile
    /// The task of the workers, on one thread.
    package let task: KernelTask

    /// Draws the call and writes it.
    ///
    /// - Throws: ``TaskError`` when the file cannot be written.
    package init<K: Kernel<Float>>(_ kernel: K.Type, _ call: DrawnCall, by reference: KernelSet<Double>)
        throws(TaskError)
    {
        let values = call.values(of: K.InDouble.self, by: reference)
        let contract = call.signature(kernel)
        var arguments: [KernelTask.Argument] = []
        do {
            var elements = try ElementFile()
            for argument in contract.arguments where !call.absent.contains(argument.name) {
                let offset = argument.role == .output ? nil : elements.end
                var element = KernelTask.Argument.Element.float32
                switch argument.elements {
                case .tokens:
                    element = .int32
                    try elements.append(values.tokens[argument.name] ?? []) { $0 }
                case .numbers where argument.role != .output:
                    try elements.append(values.numbers[argument.name] ?? []) { $0 }
                case .numbers: break
                }
                arguments.append(
                    KernelTask.Argument(
                        name: argument.name, shape: argument.shape, element: element, isResult: argument.isResult,
                        offset: offset))
            }
            self.elements = elements
        } catch {
            throw TaskError(description: "the arguments of \(K.name): \(error)")
        }
        task = KernelTask(
            kernel: K.name, sizes: contract.sizesByName,
            hyperparameters: Dictionary(uniqueKeysWithValues: contract.hyperparameters.map { ($0.name, $0.value) }),
            arguments: arguments, file: elements.path, threads: 1,
            operations: K(sizes: call.sizes) { _ in nil }.cost.operations)
    }

    /// The task on that number of threads.
    func task(threads: Int) -> KernelTask {
        var task = task
        task.threads = threads
        return task
    }
}

/// Elements of 4 bytes, one after the other, in a file without a name.
private struct ElementFile: ~Copyable {
    private let file: UnnamedFile
    /// The bytes written.
    private(set) var end = 0
    /// The elements converted at a time.
    private static let slab = 1 << 20

    init() throws(FileWriteError) { file = try UnnamedFile() }

    /// The path by which workers open it.
    var path: String { file.path }

    mutating func append<Value, Element>(_ values: [Value], _ element: (Value) -> Element) throws {
        for start in stride(from: 0, to: values.count, by: Self.slab) {
            let part = values[start..<min(start + Self.slab, values.count)].map(element)
            try part.withUnsafeBytes { try file.write($0) }
            end += part.count * MemoryLayout<Element>.stride
        }
    }
}
