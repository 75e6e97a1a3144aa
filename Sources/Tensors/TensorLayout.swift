/// A named, shaped part of an allocation.
public struct TensorSpecification: Sendable, Hashable {
    /// The tensor's identity: an llm.c activation name or a PyTorch `state_dict` key.
    public let name: String
    /// The extents, outermost first.
    public let shape: [Int]
    /// The elements of the allocation that it occupies.
    public let range: Range<Int>

    /// The number of elements.
    public var count: Int { range.count }
}

/// The order of named tensors in one allocation. Each starts on a cache line.
public struct TensorLayout: Sendable {
    /// The tensors, in order of their place in memory.
    public private(set) var tensors: [TensorSpecification] = []
    private var indices: [String: Int] = [:]

    /// The number of elements of the allocation, padding between tensors included.
    public private(set) var count = 0

    /// The number of elements that a layout stays at when it is larger than any memory.
    public static let most = 1 << 56

    /// A layout with no tensors.
    public init() {}

    /// Appends a tensor and returns where it lies.
    ///
    /// - Precondition: no tensor of that name has been appended.
    @discardableResult
    public mutating func append(_ name: String, _ shape: [Int]) -> TensorSpecification {
        let elements = shape.reduce(1) { product, extent in
            let (next, overflow) = product.multipliedReportingOverflow(by: extent)
            return overflow ? Self.most : min(next, Self.most)
        }
        let specification = TensorSpecification(
            name: name, shape: shape, range: count..<min(count + elements, Self.most))
        precondition(indices.updateValue(tensors.count, forKey: name) == nil, "two tensors named \(name)")
        tensors.append(specification)
        // 16 elements of 4 bytes are a cache line; of 8 bytes, two.
        count = (specification.range.upperBound + 15) / 16 * 16
        return specification
    }

    /// The tensor of that name.
    public subscript(name: String) -> TensorSpecification? { indices[name].map { tensors[$0] } }

    /// The tensor that holds the element at `offset` of the allocation.
    public func tensor(at offset: Int) -> TensorSpecification? {
        let next = tensors.partitioningIndex { $0.range.lowerBound > offset }
        guard next > 0, tensors[next - 1].range.contains(offset) else { return nil }
        return tensors[next - 1]
    }
}

extension Array {
    /// The first index whose element satisfies `predicate`, when those that do not all come first.
    fileprivate func partitioningIndex(where predicate: (Element) -> Bool) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = low + (high - low) / 2
            if predicate(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
