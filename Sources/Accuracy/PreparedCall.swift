import Kernels
import Tensors

/// A kernel call with its memory, filled by ``Draw``.
package final class PreparedCall<K: Kernel> {
    /// The call.
    package private(set) var call = K()
    private var filler: Filler<K.Scalar>

    /// A call of the sizes and without the optional arguments that `task` says; or a part of it.
    ///
    /// - Throws: ``TaskError`` where the sizes are not to be used.
    package init(_ task: KernelTask, sample: Sample? = nil) throws(TaskError) {
        filler = Filler(task, sample: sample)
        call.visit(&filler)
        if let problem = filler.problem { throw TaskError(description: "\(K.name): \(problem)") }
        DerivedInputs.fill(call)
        reset()
    }

    /// Sets every result to its start: outputs to NaN, accumulators to what was drawn.
    package func reset() {
        for result in filler.results { result.reset() }
    }

    /// The results, in the order of the contract.
    package var results: [(argument: Argument, view: MutableView<K.Scalar>)] {
        filler.results.map { ($0.argument, $0.view) }
    }

    /// The arguments that are only read, by name; tokens as numbers.
    package var inputs: [String: View<K.Scalar>] { filler.inputs }

    /// The bytes of all arguments: what a call touches.
    package var bytes: Int { filler.bytes }
}

/// Fills in the arguments of a call.
private struct Filler<Scalar: KernelScalar>: ArgumentVisitor {
    /// A result and what it starts from.
    struct Result {
        let argument: Argument
        let view: MutableView<Scalar>
        let draw: Draw
        let index: ((Int) -> Int)?

        func reset() {
            guard argument.role == .accumulator else { return view.fill(.nan) }
            fill(view, draw, index)
        }
    }

    /// Memory that starts on a random cache line: where it lies changes a kernel's time by some percent, and two calls
    /// made ready with the same numbers should not always have the same luck.
    private final class Memory<Element: BitwiseCopyable & Sendable> {
        private let tensor: Tensor<Element>
        let view: MutableView<Element>

        init(_ count: Int, _ zero: Element) {
            let line = Tensor<Element>.alignment / MemoryLayout<Element>.stride
            let start = Int.random(in: 0..<64) * line
            tensor = Tensor(repeating: zero, count: start + count)
            view = tensor.view.slice(start..<start + count)
        }
    }

    private let task: KernelTask
    private let sample: Sample?
    private var memory: [AnyObject] = []
    private(set) var results: [Result] = []
    private(set) var inputs: [String: View<Scalar>] = [:]
    private(set) var bytes = 0
    private(set) var problem: String?

    init(_ task: KernelTask, sample: Sample?) {
        self.task = task
        self.sample = sample
    }

    mutating func size(_ name: String, _ value: inout Int) {
        guard let size = (sample?.sizes ?? task.sizes)[name], size > 0 else {
            problem = problem ?? "the size \(name) is not given"
            return
        }
        value = size
    }

    mutating func require(_ holds: Bool, _ rule: String) {
        if !holds { problem = problem ?? "the sizes break the rule that \(rule)" }
    }

    mutating func hyperparameter(_ name: String, _ value: inout Float) {}

    mutating func input(_ argument: Argument, _ view: inout View<Scalar>) {
        guard let target: MutableView<Scalar> = allocate(argument, 0) else { return }
        fill(target, draw(argument), sample?.indices[argument.name])
        view = View(target)
        inputs[argument.name] = view
    }

    mutating func tokens(_ argument: Argument, below bound: Int, _ view: inout View<Int32>) {
        guard let target: MutableView<Int32> = allocate(argument, 0) else { return }
        let (draw, index) = (draw(argument), sample?.indices[argument.name])
        for i in 0..<target.count {
            let token = draw.token(index?(i) ?? i, below: sample?.vocabulary ?? bound)
            target[i] = sample?.tokens[token] ?? token
        }
        view = View(target)
        guard let numbers: MutableView<Scalar> = allocate(argument, 0) else { return }
        for i in 0..<target.count { numbers[i] = Scalar(target[i]) }
        inputs[argument.name] = View(numbers)
    }

    mutating func result(_ argument: Argument, _ view: inout MutableView<Scalar>) {
        guard let target: MutableView<Scalar> = allocate(argument, 0) else { return }
        view = target
        results.append(
            Result(argument: argument, view: target, draw: draw(argument), index: sample?.indices[argument.name]))
    }

    private func draw(_ argument: Argument) -> Draw { Draw(argument, seed: task.seed) }

    /// Memory for the argument; nil where the call goes without it.
    private mutating func allocate<Element: BitwiseCopyable & Sendable>(
        _ argument: Argument, _ zero: Element
    ) -> MutableView<Element>? {
        guard problem == nil, !(argument.isOptional && task.absent.contains(argument.name)) else { return nil }
        guard argument.count < 1 << 32 else {
            problem = "\(argument.name) of shape \(argument.shape) is too large"
            return nil
        }
        let memory = Memory(argument.count, zero)
        self.memory.append(memory)
        bytes += argument.count * MemoryLayout<Element>.stride
        return memory.view
    }
}

/// Fills a view with what is drawn; `index` says where its elements lie in the whole argument, if it is a part.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
private func fill<Scalar: KernelScalar>(_ view: MutableView<Scalar>, _ draw: Draw, _ index: ((Int) -> Int)?) {
    if let index {
        for i in 0..<view.count { view[i] = Scalar(draw[index(i)]) }
    } else {
        for i in 0..<view.count { view[i] = Scalar(draw[i]) }
    }
}
