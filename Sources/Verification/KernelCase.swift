import HDF5
import Kernels
import Tensors

/// One case of one kernel in a fixture: its sizes and inputs, its results' starting values and truth.
///
/// It is an ``ArgumentVisitor``: presented with the arguments of a call, it fills the call in from the fixture. Outputs
/// start as NaN, accumulators as the fixture says, and every argument lies between red zones.
final class KernelCase: ArgumentVisitor {
    /// An input and what it must still be after the call.
    private struct Input {
        let argument: Argument
        let buffer: GuardedBuffer
        let original: [UInt8]
    }

    /// A result as the kernel left it.
    struct Result {
        let argument: Argument
        let buffer: GuardedBuffer
        let view: MutableView<Float>
    }

    private let fixture: FixtureFile
    private let group: String
    private var inputs: [Input] = []
    /// The results, in the order of the contract.
    private(set) var results: [Result] = []
    private var error: FixtureError?

    /// The case in `group` of `fixture`, such as `forward/primes`.
    init(_ fixture: FixtureFile, group: String) {
        self.fixture = fixture
        self.group = group
    }

    /// A call with every argument filled in.
    func load<K: Kernel>(_ kernel: K.Type) throws(FixtureError) -> K where K.Scalar == Float {
        var call = K()
        var visitor = self
        call.visit(&visitor)
        if let error { throw error }
        return call
    }

    /// What the kernel did that it must not: changed an input, or wrote beyond an argument.
    var trespasses: [(argument: String, note: String)] {
        inputs.filter { !$0.original.elementsEqual($0.buffer.bytes) }
            .map { ($0.argument.name, "the kernel changed its input") }
            + (inputs.map { ($0.argument, $0.buffer) } + results.map { ($0.argument, $0.buffer) })
            .filter { !$0.1.isIntact }.map { ($0.0.name, "the kernel wrote outside the argument") }
    }

    // MARK: - ArgumentVisitor

    func size(_ name: String, _ value: inout Int) {
        attempt { () throws(FixtureError) in
            value = try fixture.integer(name, of: group)
            if value < 1 { throw fixture.error(group, "\(name) is \(value), and must be positive") }
        }
    }

    func require(_ holds: Bool, _ rule: String) {
        attempt { () throws(FixtureError) in
            if !holds { throw fixture.error(group, "the sizes break the rule that \(rule)") }
        }
    }

    func hyperparameter(_ name: String, _ value: inout Float) {
        attempt { () throws(FixtureError) in value = try fixture.float(name, of: group) }
    }

    func input(_ argument: Argument, _ view: inout View<Float>) {
        load(argument, into: &view) { view throws(FixtureError) in
            if let index = view.buffer.firstIndex(where: { !$0.isFinite }) {
                throw fixture.error(
                    "\(group)/\(argument.name)", "element \(index) is \(view[index]), not a number to compute with")
            }
        }
    }

    func tokens(_ argument: Argument, below bound: Int, _ view: inout View<Int32>) {
        load(argument, into: &view) { view throws(FixtureError) in
            if let index = view.buffer.firstIndex(where: { $0 < 0 || $0 >= bound }) {
                throw fixture.error(
                    "\(group)/\(argument.name)",
                    "token \(view[index]) at \(index) lies outside the vocabulary of \(bound)")
            }
        }
    }

    func result(_ argument: Argument, _ view: inout MutableView<Float>) {
        attempt { () throws(FixtureError) in
            let path = "\(group)/\(argument.name)"
            if argument.isOptional && !fixture.exists(path) { return }
            try fixture.check("\(path)/float64", .float64, argument.shape)
            try fixture.check("\(path)/float32", .float32, argument.shape)
            try fixture.check("\(path)/gauge", .float32, argument.shape)
            let buffer = GuardedBuffer(repeating: Float.nan, count: argument.count)
            if argument.role == .accumulator {
                try fixture.load("\(path)/initial", argument.shape, into: buffer.view(of: Float.self))
            }
            view = buffer.view(of: Float.self)
            results.append(Result(argument: argument, buffer: buffer, view: view))
        }
    }

    // MARK: - Helpers

    private func load<T: Element>(
        _ argument: Argument, into view: inout View<T>,
        check: (View<T>) throws(FixtureError) -> Void
    ) {
        attempt { () throws(FixtureError) in
            let path = "\(group)/\(argument.name)"
            if argument.isOptional && !fixture.exists(path) { return }
            try fixture.check(path, T.type, argument.shape)
            let buffer = GuardedBuffer(repeating: T.zero, count: argument.count)
            try fixture.load(path, argument.shape, into: buffer.view(of: T.self))
            view = View(buffer.view(of: T.self))
            try check(view)
            inputs.append(Input(argument: argument, buffer: buffer, original: Array(buffer.bytes)))
        }
    }

    /// A visitor cannot throw: the first error is kept, and nothing more is read after it.
    private func attempt(_ body: () throws(FixtureError) -> Void) {
        guard error == nil else { return }
        do { try body() } catch { self.error = error }
    }
}
