import Fixtures
import HDF5
import Kernels
import Tensors

/// One case of one kernel in a fixture: its sizes, inputs and starting values, and what PyTorch computed from them.
///
/// It is an ``ArgumentVisitor``: presented with the arguments of a call, it reads each from the fixture.
struct KernelCase: ArgumentVisitor {
    typealias Scalar = Float

    /// The elements of an input.
    enum Elements {
        case floats([Float])
        case tokens([Int32])
    }

    /// A result: what it holds before the call, and what PyTorch says it must hold after.
    struct Result {
        let argument: Argument
        /// What is added to or changed in place; nil for what is overwritten.
        let initial: [Float]?
        /// In float64, from the same float32 inputs: the truth.
        let truth: [Double]
        /// In float32.
        let torch: [Float]
        /// The largest error of a right kernel, element by element.
        let bound: [Double]
    }

    /// The group in the fixture, such as `forward/primes`.
    let group: String
    /// The sizes, by name.
    private(set) var sizes: [String: Int] = [:]
    /// The numbers that are not sizes, by name.
    private(set) var hyperparameters: [String: Float] = [:]
    /// Which results are overwritten instead of added to.
    private(set) var overwrites: Overwriting = []
    /// What is only read, by name; an absent bias has no entry.
    private(set) var inputs: [String: Elements] = [:]
    /// What is written, in the order of the contract.
    private(set) var results: [Result] = []
    private let fixture: FixtureFile
    private var error: FixtureError?

    /// The case in `group` of `fixture`, with the arguments that `kernel` has.
    init<K: Kernel<Float>>(_ kernel: K.Type, _ fixture: FixtureFile, group: String) throws(FixtureError) {
        self.fixture = fixture
        self.group = group
        var call = K()
        call.visit(&self)
        if let error { throw error }
    }

    // MARK: - ArgumentVisitor

    mutating func size(_ name: String, _ value: inout Int) {
        attempt { (case_) throws(FixtureError) in
            value = try case_.fixture.integer(name, of: case_.group)
            if value < 1 { throw case_.fixture.error(case_.group, "\(name) is \(value), and must be positive") }
            case_.sizes[name] = value
        }
    }

    mutating func require(_ holds: Bool, _ rule: String) {
        attempt { (case_) throws(FixtureError) in
            if !holds { throw case_.fixture.error(case_.group, "the sizes break the rule that \(rule)") }
        }
    }

    mutating func hyperparameter(_ name: String, _ value: inout Float) {
        attempt { (case_) throws(FixtureError) in
            value = try case_.fixture.float(name, of: case_.group)
            case_.hyperparameters[name] = value
        }
    }

    mutating func overwriting(_ value: inout Overwriting) {
        attempt { (case_) throws(FixtureError) in
            guard case_.fixture.has("overwrites", of: case_.group) else { return }
            let choice = try case_.fixture.integer("overwrites", of: case_.group)
            guard (1...3).contains(choice) else {
                throw case_.fixture.error(case_.group, "overwrites is \(choice), and must be 1, 2 or 3")
            }
            value = Overwriting(rawValue: choice)
            case_.overwrites = value
        }
    }

    mutating func input(_ argument: Argument, _ view: inout View<Float>) {
        attempt { (case_) throws(FixtureError) in
            guard let path = case_.path(of: argument) else { return }
            let values = try case_.read(path, Float.self, argument.shape)
            if let index = values.firstIndex(where: { !$0.isFinite }) {
                throw case_.fixture.error(path, "element \(index) is \(values[index]), not a number to compute with")
            }
            case_.inputs[argument.name] = .floats(values)
        }
    }

    mutating func tokens(_ argument: Argument, below bound: Int, _ view: inout View<Int32>) {
        attempt { (case_) throws(FixtureError) in
            guard let path = case_.path(of: argument) else { return }
            let values = try case_.read(path, Int32.self, argument.shape)
            if let index = values.firstIndex(where: { $0 < 0 || $0 >= bound }) {
                throw case_.fixture.error(
                    path, "token \(values[index]) at \(index) lies outside the vocabulary of \(bound)")
            }
            case_.inputs[argument.name] = .tokens(values)
        }
    }

    mutating func result(_ argument: Argument, _ view: inout MutableView<Float>) {
        attempt { (case_) throws(FixtureError) in
            guard let path = case_.path(of: argument) else { return }
            try case_.fixture.checkFactor(of: path, is: argument.c)
            let truth = try case_.read("\(path)/float64", Double.self, argument.shape)
            let gauge = try case_.read("\(path)/gauge", Float.self, argument.shape)
            for (index, (truth, gauge)) in zip(truth, gauge).enumerated()
            where truth.isNaN || !(gauge >= 0 && gauge.isFinite) {
                throw case_.fixture.error(
                    path, "element \(index) has the truth \(truth) with the gauge \(gauge)")
            }
            case_.results.append(
                Result(
                    argument: argument,
                    initial: argument.role == .accumulator
                        ? try case_.read("\(path)/initial", Float.self, argument.shape) : nil,
                    truth: truth, torch: try case_.read("\(path)/float32", Float.self, argument.shape),
                    bound: gauge.map { argument.bound(gauge: Double($0)) }))
        }
    }

    // MARK: - Helpers

    /// The argument's path in the fixture; nil where it is optional and absent.
    private func path(of argument: Argument) -> String? {
        let path = "\(group)/\(argument.name)"
        return argument.isOptional && !fixture.exists(path) ? nil : path
    }

    private func read<T: Element>(_ path: String, _ type: T.Type, _ shape: [Int]) throws(FixtureError) -> [T] {
        try fixture.check(path, T.type, shape)
        return try fixture.read(path, type)
    }

    /// A visitor cannot throw: the first error is kept, and nothing more is read after it.
    private mutating func attempt(_ body: (inout KernelCase) throws(FixtureError) -> Void) {
        guard error == nil else { return }
        do { try body(&self) } catch { self.error = error }
    }
}
