/// An extent of a tensor by its name in the contract: a size of the call, such as `B`, or a product of some, such as `3C`.
public struct Axis: Sendable, Hashable {
    /// One size, or a number that is none.
    public struct Factor: Sendable, Hashable {
        /// The size; nil for a plain number, such as the 3 in `3C`.
        public let size: String?
        /// How many positions it has.
        public let extent: Int
    }

    /// The name in reports, such as `3C`.
    public let name: String
    /// The number of positions; `Int.max` where it is beyond any memory.
    public let extent: Int
    /// What the extent is the product of; empty where that is the one size of its name, as most are: calls are checked by
    /// walking over their axes, which should cost nothing.
    private let product: [Factor]

    /// What the extent is the product of, outermost first.
    public var factors: [Factor] { product.isEmpty ? [Factor(size: name, extent: extent)] : product }

    /// The axis of one size.
    init(_ name: String, _ extent: Int) { (self.name, self.extent, product) = (name, extent, []) }

    /// An axis under a name of its own, such as C, the heads one after the other.
    init(_ name: String, of axes: [Axis]) { self.init(name, factors: axes.flatMap(\.factors)) }

    /// So many stretches of the axis, one after the other, such as query, key and value.
    public static func * (count: Int, axis: Axis) -> Axis {
        Axis("\(count)\(axis.name)", factors: [Factor(size: nil, extent: count)] + axis.factors)
    }

    /// As many positions as both have; for rules, not for shapes.
    public static func + (a: Axis, b: Axis) -> Axis {
        Axis("\(a.name) + \(b.name)", factors: [Factor(size: nil, extent: a.extent + b.extent)])
    }

    /// The axis where some sizes are others; `size` gives them, or nil.
    public func resized(_ size: (String) -> Int?) -> Axis {
        Axis(
            name,
            factors: factors.map { Factor(size: $0.size, extent: $0.size.flatMap(size) ?? $0.extent) })
    }

    private init(_ name: String, factors: [Factor]) {
        (self.name, product) = (name, factors)
        extent = Self.product(factors.lazy.map(\.extent))
    }

    /// The product; `Int.max` where it overflows.
    static func product(_ extents: some Sequence<Int>) -> Int {
        extents.reduce(1) { product, extent in
            let (count, overflow) = product.multipliedReportingOverflow(by: extent)
            return overflow ? .max : count
        }
    }
}
