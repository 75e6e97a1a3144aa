import Kernels
import Tensors

/// A call's arguments and cost, without memory.
package struct CallShape {
    /// The results, in the order of the contract.
    package let results: [Argument]
    /// What the call costs at least.
    package let cost: Cost
    /// The bytes that a call touches: of all arguments, or those moved where it leaves most of them alone.
    package let footprint: Int
    /// The sizes that the kernel asks for, in words, such as `B 4, T 64, C 768`.
    package let sizes: String

    /// The shape of the call that `task` describes.
    ///
    /// - Throws: ``TaskError`` where the sizes are not to be used.
    package init<K: Kernel>(_ kernel: K.Type, _ task: KernelTask) throws(TaskError) {
        var reader = Reader<K.Scalar>(task: task)
        var call = K()
        call.visit(&reader)
        if let problem = reader.problem { throw TaskError(description: "\(K.name): \(problem)") }
        results = reader.results
        cost = call.cost
        footprint = min(reader.elements * MemoryLayout<Float>.stride, call.cost.bytes)
        sizes = reader.sizes.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
    }
}

private struct Reader<Scalar: KernelScalar>: ArgumentVisitor {
    let task: KernelTask
    var results: [Argument] = []
    var elements = 0
    var sizes: [(name: String, value: Int)] = []
    var problem: String?

    mutating func size(_ name: String, _ value: inout Int) {
        value = task.sizes[name] ?? 0
        if value < 1 { problem = problem ?? "the size \(name) is not given" }
        sizes.append((name, value))
    }

    mutating func require(_ holds: Bool, _ rule: String) {
        if !holds { problem = problem ?? "the sizes break the rule that \(rule)" }
    }

    func hyperparameter(_ name: String, _ value: inout Float) {}

    mutating func input(_ argument: Argument, _ view: inout View<Scalar>) { count(argument) }
    mutating func tokens(_ argument: Argument, below bound: Int, _ view: inout View<Int32>) { count(argument) }

    mutating func result(_ argument: Argument, _ view: inout MutableView<Scalar>) {
        if count(argument) { results.append(argument) }
    }

    @discardableResult
    private mutating func count(_ argument: Argument) -> Bool {
        guard !(argument.isOptional && task.absent.contains(argument.name)) else { return false }
        elements += argument.count
        return true
    }
}
