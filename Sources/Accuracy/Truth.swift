import Kernels

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
    }

    /// The results that the call has, in the order of the contract.
    public let results: [Result]

    /// The operations or elements above which a part of a call stands for the whole.
    public static let limit = 1 << 24

    /// The truth of `call`, by a reference in double.
    ///
    /// - Throws: ``SignatureError`` where the sizes cannot be used.
    public init<K: Kernel>(
        _ call: DrawnCall, of _: K.Type, by reference: KernelSet<Double>, limit: Int = Truth.limit
    ) throws(SignatureError) {
        typealias InDouble = K.InDouble
        let whole = try InDouble.signature(sizes: call.sizes, overwrites: call.overwrites)
        let present = whole.results.filter { !call.absent.contains($0.name) }
        var answers: [Selection: (truth: [String: [Double]], errors: [String: [Double]], signature: Signature)] = [:]
        var results: [Result] = []
        for argument in present {
            let selection = Selection.of(InDouble.self, whole, independent: argument.independent, limit: limit)
            if answers[selection] == nil {
                let values = call.values(of: InDouble.self, at: selection, by: reference)
                let truth = values.results(of: InDouble.self, by: reference)
                answers[selection] = (
                    truth, values.roundingErrors(of: InDouble.self, truth: truth),
                    try InDouble.signature(sizes: values.sizes, overwrites: call.overwrites)
                )
            }
            guard let answer = answers[selection], let truth = answer.truth[argument.name],
                let errors = answer.errors[argument.name], let part = answer.signature[argument.name]
            else { preconditionFailure("\(K.name) has no \(argument.name)") }
            let indices = selection.indices(in: argument.axes)
            let shape = argument.shape
            let bounds = errors.map { part.bound(error: $0) }
            guard argument.coverage != .all else {
                results.append(Result(argument: argument, indices: indices, values: truth, bounds: bounds))
                continue
            }
            let kept = indices.indices.filter { argument.coverage.contains(indices[$0], shape: shape) }
            results.append(
                Result(
                    argument: argument, indices: Positions(kept.map { indices[$0] }), values: kept.map { truth[$0] },
                    bounds: kept.map { bounds[$0] }))
        }
        self.results = results
    }

    /// The elements compared, and those of all results.
    public var compared: Int { results.reduce(0) { $0 + $1.indices.count } }
    public var total: Int { results.reduce(0) { $0 + $1.argument.count } }
}
