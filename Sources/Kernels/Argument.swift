import Tensors

/// What a kernel does to an argument.
public enum Role: Sendable, Hashable {
    /// Read only.
    case input
    /// Overwritten: every specified element is written, none is read before.
    case output
    /// Added to: a gradient, or optimizer state changed in place.
    case accumulator
}

/// Which elements of an argument the contract speaks of.
public enum Coverage: Sendable, Hashable {
    /// All.
    case all
    /// Of the trailing (T, T) matrix, those on and below the diagonal. Above it a kernel may leave anything.
    case causal

    /// Whether the contract speaks of the element at the flat `index` of a tensor of `shape`.
    public func contains(_ index: Int, shape: [Int]) -> Bool {
        switch self {
        case .all: return true
        case .causal:
            let T = shape[shape.count - 1]
            return index % T <= (index / T) % T
        }
    }
}

/// One argument of a kernel, without its data.
public struct Argument: Sendable, Hashable {
    /// The name, in the C ABI, the fixture and the reports alike.
    public let name: String
    /// What the kernel does to it.
    public let role: Role
    /// The extents, outermost first.
    public let shape: [Int]
    /// The number of roundings n of any right float32 implementation, in the sense of ``bound(gauge:)``; 0 for inputs.
    public let roundings: Int
    /// The elements that the contract specifies.
    public let coverage: Coverage
    /// Whether the argument may be absent.
    public let isOptional: Bool

    /// The number of elements; `Int.max` where the shape is beyond any memory.
    public var count: Int {
        shape.reduce(1) { product, extent in
            let (count, overflow) = product.multipliedReportingOverflow(by: extent)
            return overflow ? .max : count
        }
    }

    /// The factor c of the isolated bound `|x − truth| ≤ c · u · gauge`.
    ///
    /// c = n / (1 − n·u), u = 2^-24: n roundings multiply to a relative error of at most n·u / (1 − n·u). A contract
    /// derives ε, the error to first order in units of u, with each rounding weighed by what it acts on; the gauge is
    /// ε / n, so that c · u · gauge = u · ε / (1 − n·u).
    ///
    /// ε is the worst case, for any order of summation. A probabilistic ε, λ·√n for n addends (Higham and Mary 2019),
    /// needs λ near 8 to be safe over all elements, and so is smaller only from 64 addends on; and rounding errors are
    /// not independent where the addends are alike and summed one by one. A right kernel must never fail.
    ///
    /// Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., lemma 3.1.
    public var c: Double { Double(roundings) / (1 - Double(roundings) * Float.unitRoundoff) }

    /// The largest error that a right implementation can make in an element of that gauge.
    public func bound(gauge: Double) -> Double { c * Float.unitRoundoff * gauge }
}

/// Roundings allowed for one `exp`, `tanh` or `log`: an error of 4 ulp, twice what common SIMD polynomials make.
public let transcendentalRoundings = 8

/// Walks over the sizes, hyperparameters and arguments of a kernel call, and may change each.
public protocol ArgumentVisitor<Scalar> {
    /// The element type of the call's tensors.
    associatedtype Scalar: KernelScalar

    /// A size, such as `B`.
    mutating func size(_ name: String, _ value: inout Int)
    /// A rule that the sizes keep, such as that the heads divide the channels.
    mutating func require(_ holds: Bool, _ rule: String)
    /// A number that is not a size, such as `learning_rate`.
    mutating func hyperparameter(_ name: String, _ value: inout Float)
    /// An argument that is only read.
    mutating func input(_ argument: Argument, _ view: inout View<Scalar>)
    /// An argument of token indices, only read. Each lies in `0..<bound`.
    mutating func tokens(_ argument: Argument, below bound: Int, _ view: inout View<Int32>)
    /// An argument that is written or added to.
    mutating func result(_ argument: Argument, _ view: inout MutableView<Scalar>)
}

/// How contracts present their arguments: one line each.
extension ArgumentVisitor {
    mutating func input(_ name: String, _ view: inout View<Scalar>, _ shape: Int...) {
        input(Argument(name, .input, shape), &view)
    }

    mutating func input(_ name: String, optional view: inout View<Scalar>?, _ shape: Int...) {
        var present = view ?? .empty
        input(Argument(name, .input, shape, isOptional: true), &present)
        view = present.count == 0 ? nil : present
    }

    mutating func tokens(_ name: String, below bound: Int, _ view: inout View<Int32>, _ shape: Int...) {
        tokens(Argument(name, .input, shape), below: bound, &view)
    }

    mutating func output(
        _ name: String, _ view: inout MutableView<Scalar>, _ shape: Int..., roundings: Int, coverage: Coverage = .all
    ) {
        result(Argument(name, .output, shape, roundings: roundings, coverage: coverage), &view)
    }

    mutating func accumulator(
        _ name: String, _ view: inout MutableView<Scalar>, _ shape: Int..., roundings: Int, coverage: Coverage = .all
    ) {
        result(Argument(name, .accumulator, shape, roundings: roundings, coverage: coverage), &view)
    }

    mutating func accumulator(
        _ name: String, optional view: inout MutableView<Scalar>?, _ shape: Int..., roundings: Int
    ) {
        var present = view ?? .empty
        result(Argument(name, .accumulator, shape, roundings: roundings, isOptional: true), &present)
        view = present.count == 0 ? nil : present
    }
}

extension Argument {
    fileprivate init(
        _ name: String, _ role: Role, _ shape: [Int], roundings: Int = 0, coverage: Coverage = .all,
        isOptional: Bool = false
    ) {
        self.init(
            name: name, role: role, shape: shape, roundings: roundings, coverage: coverage, isOptional: isOptional)
    }
}
