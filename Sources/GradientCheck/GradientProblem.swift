import Accuracy
import Foundation
import KernelCatalog
import Kernels
import Tensors

/// One backward kernel at one shape, on random inputs and cotangents: the derivative of its forward with respect to every
/// element, and how far a backward may lie from it.
///
/// What is drawn is a multiple of 2^-10, so that it is the same in both precisions and so are its moved neighbours.
struct GradientProblem {
    /// A gradient to judge, such as dinp, and what it is the gradient of.
    struct Variable {
        let gradient: Argument
        let name: String
        /// The derivative with respect to each element, by differences of the reference's forward in double.
        let differences: [Differences]
        /// The reference's backward in double, and the same given what forward leaves rounded to float32.
        let exact, rounded: [Double]
        /// The rounding error ε of a right backward, in double and in float32, in units of its u.
        let exactErrors, roundedErrors: [Double]

        /// c · ε / n: the largest error of a right backward in that precision.
        func rounding(_ index: Int, _ errors: [Double], unit: Double) -> Double {
            let n = Double(gradient.roundings)
            let error = errors[index] == 0 ? 0 : max(errors[index], n * RoundingError.leastGauge)
            return error * unit / (1 - n * unit)
        }
    }

    let pair: GradientPair
    let sizes: [String: Int]
    private(set) var variables: [Variable] = []
    /// The results that have a cotangent.
    private var outputs: [(argument: Argument, cotangents: [Double])] = []
    /// All tensors: of the call forward in float32, with what forward leaves as the reference rounds it.
    private var values = NamedValues<Float>(sizes: [:])
    private var forwardErrors: [Double] = []

    /// The problem of `pair` at its shape of that number.
    init(_ pair: GradientPair, shape: Int, seed: UInt64) {
        self.pair = pair
        sizes = pair.shapes[shape]
        let calls = NamedCalls<Double>(KernelSet(KernelCatalog.reference()))
        // Every problem has a stream of its own.
        var generator = SplitMix64(state: seed &+ UInt64(hashing: "\(pair.backward) \(shape)"))
        func draw(_ count: Int) -> [Double] {
            (0..<count).map { _ in (generator.normal() * 1024).rounded() / 1024 }
        }

        // Inputs, and what forward makes of them.
        var exact = NamedValues<Double>(sizes: sizes)
        var drawn: Set<String> = []
        var made: [Argument] = []
        let hasNoBias = pair.lastHasNoBias && shape == pair.shapes.count - 1
        for kernel in pair.forward {
            let signature = calls.signature(kernel, sizes)
            for (argument, bound) in signature.tokens {
                exact.tokens[argument.name] = (0..<argument.count).map { _ in
                    Int32(Int.random(in: 0..<min(bound, sizes["V"] ?? bound), using: &generator))
                }
            }
            for argument in signature.inputs where exact.numbers[argument.name] == nil {
                if argument.isOptional && hasNoBias { continue }
                exact.numbers[argument.name] = draw(argument.count)
                drawn.insert(argument.name)
            }
            exact.numbers.merge(calls.run(kernel, exact)) { $1 }
            made += signature.results
        }

        // Cotangents: what backward is given, or finds in what it adds to.
        let backward = calls.signature(pair.backward, sizes)
        for argument in made {
            let name = "d" + argument.name
            let isRead = backward.inputs.contains { $0.name == name }
            guard isRead || backward.results.contains(where: { $0.name == name }) else { continue }
            let cotangents = draw(argument.count).enumerated().map { index, number in
                argument.coverage.contains(index, shape: argument.shape) ? number : 0
            }
            if isRead { exact.numbers[name] = cotangents } else { exact.initial[name] = cotangents }
            outputs.append((argument, cotangents))
        }
        let gradients = backward.results.filter { drawn.contains(String($0.name.dropFirst())) }
        for gradient in gradients { exact.initial[gradient.name] = draw(gradient.count) }

        // Float32 has what forward leaves with one rounding, and so has the double that stands beside it.
        values = exact.converted(to: Float.self)
        let rounded = values.converted(to: Double.self)
        let truths = (calls.run(pair.backward, exact), calls.run(pair.backward, rounded))
        let errors = (
            Self.errors(pair.backward, exact, truth: truths.0), Self.errors(pair.backward, rounded, truth: truths.1)
        )
        forwardErrors = errorsOfForward(calls, exact)
        for gradient in gradients {
            let name = String(gradient.name.dropFirst())
            let initial = gradient.role == .accumulator ? exact.initial[gradient.name] : nil
            func added(_ result: [Double]?) -> [Double] {
                guard let result, let initial else { return result ?? [] }
                return zip(result, initial).map { $0 - $1 }
            }
            variables.append(
                Variable(
                    gradient: gradient, name: name,
                    differences: (0..<gradient.count).map { element in
                        differences(calls, exact, name, [(element, 1)])
                    },
                    exact: added(truths.0[gradient.name]), rounded: added(truths.1[gradient.name]),
                    exactErrors: errors.0[gradient.name] ?? [], roundedErrors: errors.1[gradient.name] ?? []))
        }
    }

    // MARK: - What kernels make of it

    /// The gradients that a set's backward adds, by name; after a call with other numbers, which must leave no trace.
    func gradients(_ set: KernelSet<Float>) -> [String: [Double]] {
        let calls = NamedCalls(set)
        var others = values
        others.numbers = values.numbers.mapValues { $0.map { $0 / 2 } }
        _ = calls.run(pair.backward, others)
        let results = calls.run(pair.backward, values)
        return Dictionary(
            uniqueKeysWithValues: variables.map { variable in
                let name = variable.gradient.name
                let initial = variable.gradient.role == .accumulator ? values.initial[name] : nil
                let result = results[name] ?? []
                return (name, result.indices.map { Double(result[$0]) - Double(initial?[$0] ?? 0) })
            })
    }

    /// The derivative of a set's own forward along `direction`, in float32.
    func ownDerivative(_ set: KernelSet<Float>, _ variable: Variable, along direction: [Double]) -> Differences {
        differences(NamedCalls(set), values, variable.name, Array(direction.enumerated()))
    }

    /// A direction of length at most 1 whose elements are ± a power of two.
    func direction(of variable: Variable, using generator: inout SplitMix64) -> [Double] {
        let size = exp2(-(log2(Double(variable.gradient.count)) / 2).rounded(.up))
        return (0..<variable.gradient.count).map { _ in Bool.random(using: &generator) ? size : -size }
    }

    // MARK: - Forward

    private func differences<Scalar: KernelScalar>(
        _ calls: NamedCalls<Scalar>, _ values: NamedValues<Scalar>, _ name: String, _ direction: [(Int, Double)]
    ) -> Differences {
        Differences(
            cotangents: outputs.flatMap(\.cotangents), errors: forwardErrors, Scalar.self
        ) { step in
            var moved = values
            for (index, slope) in direction { moved.numbers[name]?[index] += step * Scalar(slope) }
            for kernel in pair.forward { moved.numbers.merge(calls.run(kernel, moved)) { $1 } }
            return outputs.flatMap { moved.numbers[$0.argument.name] ?? [] }
        }
    }

    /// ε of every result that has a cotangent, one after the other.
    private func errorsOfForward(_ calls: NamedCalls<Double>, _ values: NamedValues<Double>) -> [Double] {
        let errors = Self.errors(pair.rounding, values, truth: calls.run(pair.rounding, values))
        return outputs.flatMap { errors[$0.argument.name] ?? [] }
    }

    private static func errors(
        _ kernel: String, _ values: NamedValues<Double>, truth: [String: [Double]]
    ) -> [String: [Double]] {
        guard let name = KernelCatalog.kernels.first(where: { $0.name.description == kernel })?.name else { return [:] }
        return RoundingError.of(
            name,
            CallValues(
                sizes: values.sizes,
                inputs: values.numbers.merging(values.tokens.mapValues { $0.map { Double($0) } }) { $1 },
                initial: values.initial, truth: truth)) ?? [:]
    }
}
