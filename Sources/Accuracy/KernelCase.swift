import Kernels
import Tensors

/// One call of one kernel, and what it must leave: the case that a kernel is tried on.
public struct KernelCase: Sendable {
    /// A result: what it holds before the call, and what it must hold after.
    public struct Result: Sendable {
        /// What the contract says of it.
        public let argument: Argument
        /// What is added to or changed in place; nil for what is overwritten.
        public let initial: [Float]?
        /// The truth.
        public let truth: [Double]
        /// What PyTorch makes of it in float32: the yardstick; nil where none was asked.
        public let torch: [Float]?
        /// The largest error of a right kernel, element by element.
        public let bound: [Double]

        /// The elements that the contract speaks of.
        public var specified: [Int] {
            truth.indices.filter { argument.coverage.contains($0, shape: argument.shape) }
        }

        /// Adds an answer's errors, element by element against bounds.
        public func add(_ answer: [Float], to measure: inout ErrorMeasure) {
            for index in specified {
                measure.add(
                    index: index, actual: Double(answer[index]), torch: torch.map { Double($0[index]) },
                    truth: truth[index], bound: bound[index])
            }
        }
    }

    /// The kernel.
    public let kernel: KernelName
    /// What the case is called, such as `forward/primes`.
    public let name: String
    /// What the call takes.
    public let values: CallValues<Float>
    /// What it must leave, in the order of the contract.
    public let results: [Result]

    /// A case with the answers given, and the bounds that the contract derives.
    ///
    /// - Precondition: the contract accepts the values, and there is a truth of every result that the call has.
    public init<K: Kernel<Float>>(
        _: K.Type, name: String, _ values: CallValues<Float>, truth: [String: [Double]], torch: [String: [Float]] = [:]
    ) {
        let exact = values.converted(to: Double.self)
        let errors = exact.roundingErrors(of: K.InDouble.self, truth: truth, by: .worst)
        let signature = K(sizes: values.sizes, overwrites: values.overwrites) { _ in nil }.signature
        (kernel, self.name, self.values) = (K.name, name, values)
        results = signature.results.filter { !values.absent.contains($0.name) }.map { argument in
            guard let truth = truth[argument.name], let errors = errors[argument.name] else {
                preconditionFailure("\(K.name) has no truth of \(argument.name)")
            }
            return Result(
                argument: argument, initial: argument.role == .accumulator ? values.numbers[argument.name] : nil,
                truth: truth, torch: torch[argument.name], bound: errors.map { argument.bound(error: $0) })
        }
    }

    /// A case of drawn values, or of those of `source`, with the truth by a reference in double.
    ///
    /// - Precondition: the contract accepts the sizes.
    public init<K: Kernel<Float>>(
        _ kernel: K.Type, name: String, _ call: DrawnCall, by reference: KernelSet<Double>,
        from source: (any ElementSource)? = nil
    ) {
        let values = call.values(of: K.InDouble.self, by: reference, from: source)
        let truth = values.converted(to: Double.self).results(of: K.InDouble.self, by: reference)
        self.init(kernel, name: name, values, truth: truth)
    }
}
