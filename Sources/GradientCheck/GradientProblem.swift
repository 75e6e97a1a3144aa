import Accuracy
import Foundation
import Kernels
import Sentinel
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
    }

    /// The backward kernel.
    let backward: any Kernel<Float>.Type
    /// The gradients to judge.
    private(set) var variables: [Variable] = []

    private let forward: [any Kernel<Float>.Type]
    /// The results that have a cotangent.
    private var outputs: [(argument: Argument, cotangents: [Double])] = []
    /// All tensors: of the call forward in float32, with what forward leaves as the reference rounds it.
    private var values: CallValues<Float>
    private var forwardErrors: [Double] = []

    /// The problem of `backward` at those sizes.
    init<K: BackwardKernel>(
        _ backward: K.Type, _ call: DrawnCall, by reference: KernelSet<Double>
    ) where K.Scalar == Float {
        self.backward = K.self
        forward = K.derivative.forward
        // Every problem has a stream of its own.
        var generator = SplitMix64(
            state: call.seed &+ UInt64(hashing: "\(K.name) \(call.sizes.sorted { $0.key < $1.key })"))
        func draw(_ count: Int) -> [Double] {
            (0..<count).map { _ in (generator.normal() * 1024).rounded() / 1024 }
        }

        // Inputs, and what forward makes of them.
        var exact = CallValues<Double>(sizes: call.sizes, absent: call.absent)
        values = exact.converted()
        let signature = call.signature(K.self)
        for argument in signature.inputs {
            guard case .tokens(let bound) = argument.elements else { continue }
            // The last of the vocabulary, where loops end, is among them.
            exact.tokens[argument.name] = (0..<argument.count).map { index in
                Int32(index == 0 ? bound - 1 : Int.random(in: 0..<bound, using: &generator))
            }
        }
        var drawn: Set<String> = []
        var made: [Argument] = []
        for kernel in forward {
            let signature = call.signature(kernel)
            for argument in signature.inputs
            where exact.numbers[argument.name] == nil && exact.tokens[argument.name] == nil
                && !call.absent.contains(argument.name)
            {
                exact.numbers[argument.name] = draw(argument.count)
                drawn.insert(argument.name)
            }
            exact.numbers.merge(Self.truth(kernel, exact, reference)) { $1 }
            made += signature.results
        }

        // Cotangents: what backward is given, or finds in what it adds to.
        for argument in made {
            let name = "d" + argument.name
            guard signature[name] != nil else { continue }
            let cotangents = draw(argument.count).enumerated().map { index, number in
                argument.coverage.contains(index, shape: argument.shape) ? number : 0
            }
            exact.numbers[name] = cotangents
            outputs.append((argument, cotangents))
        }
        let gradients = signature.results.filter {
            drawn.contains(String($0.name.dropFirst())) && !call.absent.contains($0.name)
        }
        for gradient in gradients where gradient.role == .accumulator {
            exact.numbers[gradient.name] = draw(gradient.count)
        }

        // Float32 has what forward leaves with one rounding, and so has the double that stands beside it.
        values = exact.converted()
        let rounded = values.converted(to: Double.self)
        let truths = (Self.truth(K.self, exact, reference), Self.truth(K.self, rounded, reference))
        let errors = (
            exact.roundingErrors(of: K.InDouble.self, truth: truths.0, by: .worst),
            rounded.roundingErrors(of: K.InDouble.self, truth: truths.1, by: .worst)
        )
        forwardErrors = forwardErrors(K.derivative.rounding, exact, reference)
        for gradient in gradients {
            let name = String(gradient.name.dropFirst())
            func added(_ result: [Double]?) -> [Double] {
                Self.added(result ?? [], to: gradient, exact.numbers[gradient.name])
            }
            variables.append(
                Variable(
                    gradient: gradient, name: name,
                    differences: (0..<gradient.count).map { element in
                        differences(exact, name, [(element, 1)]) { Self.truth($0, $1, reference) }
                    },
                    exact: added(truths.0[gradient.name]), rounded: added(truths.1[gradient.name]),
                    exactErrors: errors.0[gradient.name] ?? [], roundedErrors: errors.1[gradient.name] ?? []))
        }
    }

    // MARK: - What kernels make of it

    /// The gradients that a set's backward adds, by name; after a call with other numbers, which must leave no trace.
    func gradients(_ set: KernelSet<Float>) -> [String: [Double]] {
        var others = values
        others.numbers = values.numbers.mapValues { $0.map { $0 / 2 } }
        _ = Self.results(backward, others, set)
        let results = Self.results(backward, values, set)
        return Dictionary(
            uniqueKeysWithValues: variables.map { variable in
                let name = variable.gradient.name
                return (
                    name,
                    Self.added(
                        (results[name] ?? []).map { Double($0) }, to: variable.gradient,
                        values.numbers[name]?.map { Double($0) })
                )
            })
    }

    /// The derivative of a set's own forward along `direction`, in float32.
    func ownDerivative(_ set: KernelSet<Float>, _ variable: Variable, along direction: [Double]) -> Differences {
        differences(values, variable.name, Array(direction.enumerated())) { Self.results($0, $1, set) }
    }

    /// A direction of length at most 1 whose elements are ± a power of two.
    func direction(of variable: Variable, using generator: inout SplitMix64) -> [Double] {
        let size = exp2(-(log2(Double(variable.gradient.count)) / 2).rounded(.up))
        return (0..<variable.gradient.count).map { _ in Bool.random(using: &generator) ? size : -size }
    }

    /// What a call added to a result.
    private static func added(_ result: [Double], to gradient: Argument, _ initial: [Double]?) -> [Double] {
        guard gradient.role == .accumulator, let initial else { return result }
        return zip(result, initial).map { $0 - $1 }
    }

    // MARK: - Calls

    /// The results of the reference in double.
    private static func truth<K: Kernel<Float>>(
        _: K.Type, _ values: CallValues<Double>, _ reference: KernelSet<Double>
    ) -> [String: [Double]] {
        values.results(of: K.InDouble.self, by: reference)
    }

    /// The results of a set in float32.
    private static func results<K: Kernel<Float>>(
        _ kernel: K.Type, _ values: CallValues<Float>, _ set: KernelSet<Float>
    ) -> [String: [Float]] {
        let results = values.results(of: kernel, by: set)
        // A kernel may leave the processor in another state than it found it in; `verify` says so.
        FloatingPointEnvironment.restore()
        return results
    }

    // MARK: - Forward

    private func differences<Scalar: KernelScalar>(
        _ values: CallValues<Scalar>, _ name: String, _ direction: [(Int, Double)],
        _ run: (any Kernel<Float>.Type, CallValues<Scalar>) -> [String: [Scalar]]
    ) -> Differences {
        Differences(
            cotangents: outputs.flatMap(\.cotangents), errors: forwardErrors, Scalar.self
        ) { step in
            var moved = values
            for (index, slope) in direction { moved.numbers[name]?[index] += step * Scalar(slope) }
            for kernel in forward { moved.numbers.merge(run(kernel, moved)) { $1 } }
            return outputs.flatMap { moved.numbers[$0.argument.name] ?? [] }
        }
    }

    /// ε of every result that has a cotangent, one after the other, by the contract that says how they round.
    private func forwardErrors<K: Kernel<Float>>(
        _ rounding: K.Type, _ values: CallValues<Double>, _ reference: KernelSet<Double>
    ) -> [Double] {
        let truth = Self.truth(rounding, values, reference)
        let errors = values.roundingErrors(of: K.InDouble.self, truth: truth, by: .worst)
        return outputs.flatMap { errors[$0.argument.name] ?? [] }
    }
}
