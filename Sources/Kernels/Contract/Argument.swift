/// What a kernel does to an argument.
public enum Role: Sendable, Hashable {
    /// Read only.
    case input
    /// Overwritten: every specified element is written, none is read before.
    case output
    /// Added to, or changed in place: a gradient, or state.
    case accumulator
}

/// What an argument's elements are.
public enum Elements: Sendable, Hashable {
    /// Numbers of the call's element type, drawn so.
    case numbers(Distribution)
    /// Token indices, each below that.
    case tokens(below: Int)
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

/// What becomes of NaN and infinities on their way to a result. NaN comes out as NaN wherever it has a part, as in PyTorch.
public enum NonFinite: Sendable, Hashable {
    /// What arithmetic makes of them, and nothing else changes.
    case exact
    /// The same, but that an infinity may come out as NaN: right implementations subtract infinities on the way.
    case indefinite
    /// The same as indefinite, and what is masked may make NaN of results that it has no part in: it is multiplied by 0.
    case spreading
}

/// One argument of a kernel, without its data.
public struct Argument: Sendable, Hashable {
    /// The name, in the C ABI, the fixture and the reports alike.
    public let name: String
    /// What the kernel does to it.
    public let role: Role
    /// The extents, outermost first.
    public let axes: [Axis]
    /// What it holds: of an accumulator, before the call.
    public let elements: Elements
    /// The number n of roundings on the longest path of any right implementation, see ``bound(error:unit:)``; 0 for inputs.
    public let roundings: Int
    /// The sizes along which a result can be computed position by position: what it holds at some positions follows from
    /// what the other arguments hold at those, wherever they have that size too.
    public let independent: Set<String>
    /// The size along which a result's positions depend on no later ones; nil where there is none.
    public let causal: String?
    /// What becomes of NaN and infinities.
    public let nonFinite: NonFinite
    /// The elements that the contract specifies.
    public let coverage: Coverage
    /// Whether the argument may be absent.
    public let isOptional: Bool

    /// The extents' numbers of positions.
    public var shape: [Int] { axes.map(\.extent) }

    /// The number of elements; `Int.max` where the shape is beyond any memory.
    public var count: Int { Axis.product(axes.lazy.map(\.extent)) }

    /// Whether it is written.
    public var isResult: Bool { role != .input }
}
