import Accuracy
import Foundation
import Kernels

/// A drawn call in a file, for workers to read; the file is gone when this is.
package final class CallFile {
    /// The task of the workers, on one thread.
    package let task: KernelTask

    /// Draws the call and writes it.
    ///
    /// - Throws: ``TaskError`` when the file cannot be written.
    package init<K: Kernel<Float>>(_ kernel: K.Type, _ call: DrawnCall, by reference: KernelSet<Double>)
        throws(TaskError)
    {
        let path = NSTemporaryDirectory() + "plumbline-call-\(UUID().uuidString)"
        let values = call.values(of: K.InDouble.self, by: reference)
        let contract = call.signature(kernel)
        var arguments: [KernelTask.Argument] = []
        var writer = try Writer(path)
        do {
            for argument in contract.arguments where !call.absent.contains(argument.name) {
                let offset = argument.role == .output ? nil : writer.end
                var element = KernelTask.Argument.Element.float32
                switch argument.elements {
                case .tokens:
                    element = .int32
                    try writer.append(values.tokens[argument.name] ?? []) { $0 }
                case .numbers where argument.role != .output:
                    try writer.append(values.numbers[argument.name] ?? []) { Float($0) }
                case .numbers: break
                }
                arguments.append(
                    KernelTask.Argument(
                        name: argument.name, shape: argument.shape, element: element, isResult: argument.isResult,
                        offset: offset))
            }
            try writer.close()
        } catch {
            unlink(path)
            throw TaskError(description: "\(path): the arguments of \(K.name) cannot be written (\(error))")
        }
        task = KernelTask(
            kernel: K.name, sizes: contract.sizesByName,
            hyperparameters: Dictionary(uniqueKeysWithValues: contract.hyperparameters.map { ($0.name, $0.value) }),
            arguments: arguments, file: path, threads: 1)
    }

    deinit { unlink(task.file) }

    /// The task on that number of threads.
    func task(threads: Int) -> KernelTask {
        var task = task
        task.threads = threads
        return task
    }
}

/// Writes elements one after the other.
private struct Writer {
    private let file: FileHandle
    /// The bytes written.
    private(set) var end = 0
    /// The elements converted at a time.
    private static let slab = 1 << 20

    init(_ path: String) throws(TaskError) {
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let file = FileHandle(forWritingAtPath: path)
        else { throw TaskError(description: "\(path) cannot be written") }
        self.file = file
    }

    mutating func append<Value, Element>(_ values: [Value], _ element: (Value) -> Element) throws {
        for start in stride(from: 0, to: values.count, by: Self.slab) {
            let part = values[start..<min(start + Self.slab, values.count)].map(element)
            try part.withUnsafeBytes { try file.write(contentsOf: Data($0)) }
            end += part.count * MemoryLayout<Element>.stride
        }
    }

    func close() throws { try file.close() }
}
