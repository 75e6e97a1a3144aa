import Kernels

/// What of a call may depend on what else.
extension Argument {
    /// The flat indices of its elements at those positions of sizes; of a size without any it has all.
    public func indices(at positions: [String: [Int]]) -> Positions {
        Selection(positions: positions).indices(in: axes)
    }

    /// The flat distance between neighbours along the size, and its extent; nil where the argument has it not.
    public func stride(along size: String) -> (stride: Int, extent: Int)? {
        let factors = axes.flatMap(\.factors)
        guard let at = factors.firstIndex(where: { $0.size == size }) else { return nil }
        return (factors[(at + 1)...].reduce(1) { $0 * $1.extent }, factors[at].extent)
    }
}

extension CallValues {
    /// The call of those positions of sizes alone.
    public func only(_ positions: [String: [Int]], of signature: Signature) -> CallValues {
        var part = self
        part.sizes = signature.sizes(with: positions.mapValues(\.count))
        for argument in signature.arguments {
            let kept = argument.indices(at: positions)
            func pick<Element>(_ all: [Element]?) -> [Element]? { all.map { all in kept.map { all[$0] } } }
            part.numbers[argument.name] = pick(numbers[argument.name])
            part.tokens[argument.name] = pick(tokens[argument.name])
        }
        return part
    }

    /// The same at those positions of a size, and all that does not have the size; the rest from `others`.
    public func keeping(
        _ positions: [Int], along size: String, of signature: Signature, with others: CallValues
    ) -> CallValues {
        var mixed = self
        for argument in signature.arguments where argument.stride(along: size) != nil {
            let kept = argument.indices(at: [size: positions])
            func mix<Element>(_ own: [Element]?, _ other: [Element]?) -> [Element]? {
                guard let own, var other else { return nil }
                for index in kept { other[index] = own[index] }
                return other
            }
            mixed.numbers[argument.name] = mix(numbers[argument.name], others.numbers[argument.name])
            mixed.tokens[argument.name] = mix(tokens[argument.name], others.tokens[argument.name])
        }
        return mixed
    }
}
