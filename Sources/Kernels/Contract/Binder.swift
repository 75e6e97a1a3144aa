import Tensors

/// An argument of a call with its data.
public struct BoundArgument<Scalar: KernelScalar>: Sendable {
    /// What the contract says of it.
    public let argument: Argument
    /// The numbers; empty where it is absent or holds tokens.
    public let view: MutableView<Scalar>
    /// The tokens; empty where it holds none.
    public let tokens: View<Int32>

    /// Whether the call has it: an optional argument may be absent.
    public var isPresent: Bool { count > 0 }
    /// The number of elements that the call has of it.
    public var count: Int { view.count + tokens.count }

    /// The address of the first element; nil where the argument is absent.
    public var address: UnsafeMutableRawPointer? {
        if tokens.count > 0 { return UnsafeMutableRawPointer(mutating: tokens.base) }
        return view.count > 0 ? UnsafeMutableRawPointer(view.base) : nil
    }
}

/// Walks over the sizes, hyperparameters and arguments of a call: gathers them, or gives the call others.
///
/// A contract presents itself to it in one line each, see ``Kernel/bind(_:)``.
public struct Binder<Scalar: KernelScalar> {
    /// What was presented.
    public private(set) var signature = Signature()
    /// The arguments with their data, in the same order.
    public private(set) var arguments: [BoundArgument<Scalar>] = []

    /// What a call is given in place of its own; nil leaves it as it is.
    struct Source {
        var size: ((Size) -> Int)?
        var hyperparameter: ((String) -> Float?)?
        var overwrites: Overwriting?
        var place: ((BoundArgument<Scalar>) -> UnsafeMutableRawPointer?)?
    }

    private let source: Source
    /// Whether the walk only checks, and gathers nothing: before every call that must cost next to nothing.
    private let onlyChecks: Bool
    /// What a walk that only checks has found.
    private(set) var isSound = true

    init(_ source: Source = Source()) { (self.source, onlyChecks) = (source, false) }

    private init(onlyChecks: Bool) { (source, self.onlyChecks) = (Source(), onlyChecks) }

    /// A walk that only checks sizes and numbers of elements; see ``isSound``.
    static var checking: Binder { Binder(onlyChecks: true) }

    // MARK: - Numbers

    /// A size, and the least that it can be if that is not 1; one that is for checking alone is not passed to C. Whether
    /// the call is linear along it, see ``Size/isLinear``.
    public mutating func size(
        _ name: String, _ value: inout Int, atLeast least: Int = 1, isPassed: Bool = true, isLinear: Bool = false
    ) -> Axis {
        add(name, &value, least: least, isPassed: isPassed, isLinear: isLinear)
    }

    /// A size that is at least as large as another.
    public mutating func size(
        _ name: String, _ value: inout Int, atLeast other: Axis, isPassed: Bool = true
    ) -> Axis {
        add(name, &value, least: other.extent, leastName: other.name, isPassed: isPassed)
    }

    /// The channels, and the heads that divide them into `hs` each.
    public mutating func heads(_ C: inout Int, _ NH: inout Int) -> (C: Axis, NH: Axis, hs: Axis) {
        let heads = add("NH", &NH, least: 1)
        _ = add("C", &C, least: heads.extent, leastName: "NH", divisor: heads.extent, divisorName: "NH")
        if !onlyChecks { signature.sizes.swapAt(signature.sizes.count - 1, signature.sizes.count - 2) }
        let size = Axis("hs", C / max(heads.extent, 1))
        return (Axis("C", of: [heads, size]), heads, size)
    }

    private mutating func add(
        _ name: String, _ value: inout Int, least: Int, leastName: String? = nil, divisor: Int = 1,
        divisorName: String? = nil, isPassed: Bool = true, isLinear: Bool = false
    ) -> Axis {
        guard !onlyChecks else {
            isSound = isSound && value >= least && value % max(divisor, 1) == 0
            return Axis(name, value)
        }
        func size(_ value: Int) -> Size {
            Size(
                name: name, value: value, least: least, leastName: leastName, divisor: max(divisor, 1),
                divisorName: divisorName, isPassed: isPassed, isLinear: isLinear)
        }
        if let given = source.size { value = given(size(value)) }
        signature.sizes.append(size(value))
        return Axis(name, value)
    }

    /// A number that is not a size, such as `learning_rate`.
    public mutating func hyperparameter(_ name: String, _ value: inout Float) {
        guard !onlyChecks else { return }
        if let given = source.hyperparameter?(name) { value = given }
        signature.hyperparameters.append(Hyperparameter(name: name, value: value))
    }

    /// Which gradients are to be written instead of added to; comes before them.
    public mutating func overwriting(_ value: inout Overwriting) {
        if let given = source.overwrites { value = given }
        signature.overwrites = value
    }

    // MARK: - Tensors

    /// An argument that is only read.
    public mutating func input(_ name: String, _ view: inout View<Scalar>, _ axes: [Axis], _ drawn: Distribution) {
        guard !onlyChecks else { return check(view.count, axes) }
        var bound = MutableView(view)
        add(Argument(name, .input, axes, .numbers(drawn)), &bound)
        view = View(bound)
    }

    /// An argument that is only read and may be absent.
    public mutating func input(
        _ name: String, optional view: inout View<Scalar>?, _ axes: [Axis], _ drawn: Distribution
    ) {
        guard !onlyChecks else { return check(view?.count, axes) }
        var bound = MutableView(view ?? .empty)
        add(Argument(name, .input, axes, .numbers(drawn), isOptional: true), &bound)
        view = bound.count == 0 ? nil : View(bound)
    }

    /// An argument of token indices, only read. Each lies in `0..<bound`.
    public mutating func tokens(_ name: String, _ view: inout View<Int32>, _ axes: [Axis], below bound: Axis) {
        guard !onlyChecks else { return check(view.count, axes) }
        let argument = Argument(name, .input, axes, .tokens(below: bound.extent))
        let bound = BoundArgument<Scalar>(argument: argument, view: .empty, tokens: view)
        if let place = source.place, let address = place(bound) {
            view = View(UnsafePointer(address.assumingMemoryBound(to: Int32.self)), count: argument.count)
        }
        signature.arguments.append(argument)
        arguments.append(BoundArgument(argument: argument, view: .empty, tokens: view))
    }

    /// An argument that is overwritten.
    public mutating func output(
        _ name: String, _ view: inout MutableView<Scalar>, _ axes: [Axis], roundings: Int, independent: [Axis],
        causal: Axis? = nil, nonFinite: NonFinite = .exact, coverage: Coverage = .all
    ) {
        guard !onlyChecks else { return check(view.count, axes) }
        // What it holds before is never read.
        add(
            Argument(
                name, .output, axes, .numbers(.wide), roundings, independent, coverage, causal: causal,
                nonFinite: nonFinite), &view)
    }

    /// A gradient, which is added to, or written where the call overwrites those of that kind.
    public mutating func gradient(
        _ name: String, _ view: inout MutableView<Scalar>, _ axes: [Axis], of kind: Overwriting, roundings: Int,
        independent: [Axis], nonFinite: NonFinite = .exact, coverage: Coverage = .all
    ) {
        guard !onlyChecks else { return check(view.count, axes) }
        add(
            Argument(
                name, role(kind), axes, .numbers(.wide), roundings, independent, coverage, nonFinite: nonFinite), &view)
    }

    /// A gradient that may be absent.
    public mutating func gradient(
        _ name: String, optional view: inout MutableView<Scalar>?, _ axes: [Axis], of kind: Overwriting, roundings: Int,
        independent: [Axis]
    ) {
        guard !onlyChecks else { return check(view?.count, axes) }
        var bound = view ?? .empty
        add(Argument(name, role(kind), axes, .numbers(.wide), roundings, independent, isOptional: true), &bound)
        view = bound.count == 0 ? nil : bound
    }

    /// State that is changed in place.
    public mutating func state(
        _ name: String, _ view: inout MutableView<Scalar>, _ axes: [Axis], _ drawn: Distribution, roundings: Int,
        independent: [Axis]
    ) {
        guard !onlyChecks else { return check(view.count, axes) }
        add(Argument(name, .accumulator, axes, .numbers(drawn), roundings, independent), &view)
    }

    /// Notes whether there are as many elements as the shape says; none where an optional argument is absent.
    private mutating func check(_ count: Int?, _ axes: [Axis]) {
        guard let count else { return }
        var expected = 1
        for axis in axes { expected = expected.multipliedReportingOverflow(by: axis.extent).partialValue }
        isSound = isSound && count == expected
    }

    private func role(_ kind: Overwriting) -> Role { signature.overwrites.contains(kind) ? .output : .accumulator }

    private mutating func add(_ argument: Argument, _ view: inout MutableView<Scalar>) {
        if let place = source.place {
            let bound = BoundArgument(argument: argument, view: view, tokens: .empty)
            view =
                place(bound).map { MutableView($0.assumingMemoryBound(to: Scalar.self), count: argument.count) }
                ?? .empty
        }
        signature.arguments.append(argument)
        arguments.append(BoundArgument(argument: argument, view: view, tokens: .empty))
    }
}

extension MutableView {
    /// The same elements for a walk that also writes views of results; of an input it only copies the address.
    fileprivate init(_ view: View<Element>) {
        self.init(UnsafeMutablePointer(mutating: view.base), count: view.count)
    }
}

extension Argument {
    fileprivate init(
        _ name: String, _ role: Role, _ axes: [Axis], _ elements: Elements, _ roundings: Int = 0,
        _ independent: [Axis] = [], _ coverage: Coverage = .all, causal: Axis? = nil, nonFinite: NonFinite = .exact,
        isOptional: Bool = false
    ) {
        self.init(
            name: name, role: role, axes: axes, elements: elements, roundings: roundings,
            independent: Set(independent.flatMap { $0.factors.compactMap(\.size) }), causal: causal?.name,
            nonFinite: nonFinite, coverage: coverage, isOptional: isOptional)
    }
}
