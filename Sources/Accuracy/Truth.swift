import Kernels
import Platform

/// What a drawn call should leave: the reference's answer in double, with the bound of every element compared.
///
/// Of a large call parts are computed: for all results whose independent sizes are the same, one.
public struct Truth: Sendable {
    /// A result, or some of its elements.
    public struct Result: Sendable {
        /// The whole argument.
        public let argument: Argument
        /// The flat indices of the elements compared, all that the contract specifies of the part.
        public let indices: Positions
        /// What they should be.
        public let values: [Double]
        /// How far a right implementation may be from that.
        public let bounds: [Double]
        /// The standard deviations of errors at random; nil where no long sum is, and the bound says as much.
        fileprivate let deviations: [Double]?
        /// Signed sums of all elements; nil where all are compared one by one, or the call is not linear along any size.
        fileprivate let sums: (of: SignedSums, values: [Double], deviations: [Double])?
    }

    /// The results that the call has, in the order of the contract.
    public let results: [Result]

    /// The operations or elements above which a part of a call stands for the whole.
    public static let limit = 1 << 24
    /// The same of the call that makes signed sums.
    private static let limitOfSums = 1 << 25
    /// Sums of fewer terms than this are bounded as closely as they could be judged.
    private static let manyRoundings = 64

    /// The truth of `call`, by a reference in double.
    ///
    /// - Parameter values: what the whole call takes, where it is drawn as the contract says; then the second yardstick is
    ///   taken too, see ``BlockMeasure``.
    /// - Throws: ``SignatureError`` where the sizes cannot be used.
    public init<K: Kernel>(
        _ call: DrawnCall, of _: K.Type, by reference: KernelSet<Double>, limit: Int = Truth.limit,
        values drawn: CallValues<Float>? = nil
    ) throws(SignatureError) {
        typealias InDouble = K.InDouble
        let whole = try InDouble.signature(sizes: call.sizes, overwrites: call.overwrites)
        let present = whole.results.filter { !call.absent.contains($0.name) }
        let isPlain = call.values != .usual || present.allSatisfy { $0.roundings < Self.manyRoundings }
        let linear = Set(whole.sizes.filter(\.isLinear).map(\.name))
        var parts: [Selection: Part] = [:]
        var results: [Result] = []
        for argument in present {
            // Where sums are taken of all, few are compared one by one.
            let isSummed = drawn != nil && !isPlain && argument.axes.last.map { linear.contains($0.name) } == true
            let selection = Selection.of(
                InDouble.self, whole, independent: argument.independent, limit: isSummed ? limit / 4 : limit,
                seed: call.seed)
            if parts[selection] == nil {
                let values =
                    drawn.flatMap { selection.names.isEmpty ? $0 : nil }
                    ?? call.values(of: InDouble.self, at: selection, by: reference)
                parts[selection] = try Part(
                    InDouble.self, values.converted(), call.overwrites, by: reference,
                    withDeviations: drawn != nil && !isPlain)
            }
            guard let part = parts[selection] else { preconditionFailure("\(K.name) has no \(argument.name)") }
            results.append(part.result(argument, at: selection))
        }
        let isPartial = zip(results, present).contains { $0.indices.count < $1.count }
        if let drawn, isPartial, !isPlain,
            let sums = SignedSums.of(InDouble.self, whole, limit: Self.limitOfSums, seed: call.seed)
        {
            let truth = sums.truth(of: drawn, InDouble.self, whole, by: reference)
            results = results.map { result in
                guard result.indices.count < result.argument.count, let sum = truth[result.argument.name] else {
                    return result
                }
                return Result(
                    argument: result.argument, indices: result.indices, values: result.values, bounds: result.bounds,
                    deviations: result.deviations, sums: (sums, sum.values, sum.deviations))
            }
        }
        self.results = results
    }

    /// The elements compared, and those of all results.
    public var compared: Int { results.reduce(0) { $0 + $1.indices.count } }
    public var total: Int { results.reduce(0) { $0 + $1.argument.count } }

    /// A part of a call, computed.
    private struct Part {
        private let truth, errors: [String: [Double]]
        private let deviations: [String: [Double]]?
        private let signature: Signature

        init<K: KernelInDouble>(
            _ kernel: K.Type, _ values: CallValues<Double>, _ overwrites: Overwriting, by reference: KernelSet<Double>,
            withDeviations: Bool
        ) throws(SignatureError) {
            truth = values.results(of: kernel, by: reference)
            let laws: [ErrorLaw] = withDeviations ? [.worst, .random] : [.worst]
            let byLaw = laws.concurrentMap { [truth] in values.roundingErrors(of: kernel, truth: truth, by: $0) }
            (errors, deviations) = (byLaw[0], byLaw.dropFirst().first)
            signature = try kernel.signature(sizes: values.sizes, overwrites: overwrites)
        }

        /// What it has of a result of the whole call.
        func result(_ argument: Argument, at selection: Selection) -> Result {
            guard let truth = truth[argument.name], let errors = errors[argument.name],
                let part = signature[argument.name]
            else { preconditionFailure("there is no \(argument.name)") }
            let indices = selection.indices(in: argument.axes)
            let hasSums = argument.roundings >= Truth.manyRoundings
            let deviations = hasSums ? deviations?[argument.name]?.map { part.bound(error: $0) } : nil
            let bounds = errors.map { part.bound(error: $0) }
            guard argument.coverage != .all else {
                return Result(
                    argument: argument, indices: indices, values: truth, bounds: bounds, deviations: deviations,
                    sums: nil)
            }
            let shape = argument.shape
            let kept = indices.indices.filter { argument.coverage.contains(indices[$0], shape: shape) }
            return Result(
                argument: argument, indices: Positions(kept.map { indices[$0] }), values: kept.map { truth[$0] },
                bounds: kept.map { bounds[$0] }, deviations: deviations.map { all in kept.map { all[$0] } }, sums: nil)
        }
    }
}

extension Truth.Result {
    /// An answer's errors, element by element against bounds.
    public func measure(_ answer: [Float]) -> ErrorMeasure {
        var measure = ErrorMeasure()
        for (position, index) in indices.enumerated() {
            measure.add(
                index: index, actual: Double(answer[index]), torch: nil, truth: values[position],
                bound: bounds[position])
        }
        return measure
    }

    /// An answer's errors, block by block against what rounding at random makes; the worst of elements and of sums.
    public func blocks(_ answer: [Float]) -> BlockMeasure? {
        let shape = argument.shape
        let rowLength = max(shape.last ?? 1, 1)
        let ofElements = deviations.map { deviations in
            BlockMeasure(
                rowLength: rowLength, indices: indices,
                errors: indices.enumerated().map { ErrorMeasure.error(Double(answer[$1]), values[$0]) },
                deviations: deviations)
        }
        let ofSums = sums.map { sums in
            let actual = sums.of.sums(of: answer, argument)
            return BlockMeasure(
                rowLength: max(sums.of.count, 1), width: sums.of.width, indices: actual.indices,
                errors: zip(actual, sums.values).map { ErrorMeasure.error($0, $1) }, deviations: sums.deviations)
        }
        guard let ofElements, let ofSums else { return ofElements ?? ofSums }
        return ofElements.worst > ofSums.worst ? ofElements : ofSums
    }
}
