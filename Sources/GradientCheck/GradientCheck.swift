import Accuracy
import KernelCatalog
import Kernels
import Reporting
import Tensors

/// Checks backward kernels without fixtures: against central differences of the forward, on random inputs and cotangents.
///
/// Three ways, each with a bound that follows from the step and from rounding, see ``Differences``:
///
/// - the **reference** in double, element by element, against differences of the reference's forward in double;
/// - a set's backward in float32, element by element, against those same **differences in double**: a float32 forward is
///   too coarse to see one element. What forward leaves for backward is rounded to float32, and what that alone changes is
///   taken from the reference;
/// - a set's backward in float32 along random directions, ⟨dinp, v⟩, against differences of its **own forward** in
///   float32, ⟨dout, J·v⟩: whether the two belong together. This one is coarse: about u/h = 2^-19 of what is added up.
///
/// Gradients within attention, datt and dpreatt, are no derivative of what forward takes: they are judged by what comes of
/// them in dinp.
public struct GradientCheck: Sendable {
    private let problems: [GradientProblem]
    private let seed: UInt64
    private static let directions = 3
    /// The elements of all arguments of a problem together: every one of a gradient is moved.
    private static let elements = 700

    /// Draws the problems, of the backward kernels of the operations given or of all, and takes every derivative.
    public init(
        _ catalog: KernelCatalog = .standard, operations: Set<String> = [], seed: UInt64 = 1,
        progress: (String, Double) -> Void = { _, _ in }
    ) {
        self.seed = seed
        let reference = KernelSet(catalog.exact)
        let kernels = Self.kernels(of: catalog).filter {
            operations.isEmpty || operations.contains($0.name.operation)
        }
        var problems: [GradientProblem] = []
        for (number, kernel) in kernels.enumerated() {
            progress(kernel.name.description, Double(number) / Double(kernels.count))
            problems += Self.problems(of: kernel, seed: seed, by: reference)
        }
        self.problems = problems
    }

    /// The backward kernels that are checked.
    public static func kernels(of catalog: KernelCatalog = .standard) -> [any (BackwardKernel & Kernel<Float>).Type] {
        catalog.kernels.compactMap { $0 as? any (BackwardKernel & Kernel<Float>).Type }
    }

    /// Four problems with all arguments, and one without those that may be absent, if there are any.
    private static func problems<K: BackwardKernel>(
        of kernel: K.Type, seed: UInt64, by reference: KernelSet<Double>
    ) -> [GradientProblem] where K.Scalar == Float {
        let forward = K.derivative.forward.flatMap { $0.init().signature.arguments }
        let optional = Set((K().signature.arguments + forward).filter(\.isOptional).map(\.name))
        return (optional.isEmpty ? [[], [], [], []] : [[], [], [], [], optional]).enumerated().map { number, absent in
            GradientProblem(
                kernel,
                DrawnCall(
                    small: kernel, elements: elements, absent: absent, seed: seed &+ UInt64(number) << 32),
                by: reference)
        }
    }

    /// The verdict on the reference in double.
    public func reference() -> [GradientReport.Derivative] {
        collect { problem in
            problem.variables.map { variable in
                var row = Self.row(problem, variable, .reference, "reference")
                for index in variable.differences.indices {
                    let derivative = variable.differences[index]
                    let rounding = variable.gradient.bound(
                        error: variable.exactErrors[index], unit: Double.unitRoundoff)
                    row.add(index, variable.exact[index], derivative.value, derivative.bound + rounding)
                }
                return row
            }
        }
    }

    /// The verdict on the backward kernels of `set`; of one of them if given.
    public func verdict(on set: KernelSet<Float>, kernel: KernelName? = nil) -> [GradientReport.Derivative] {
        collect { problem in
            guard kernel == nil || kernel == problem.backward.name else { return [] }
            let gradients = problem.gradients(set)
            return problem.variables.flatMap { variable in
                let gradient = gradients[variable.gradient.name] ?? []
                return [
                    elements(problem, variable, gradient, set), along(problem, variable, gradient, set),
                ]
            }
        }
    }

    private func elements(
        _ problem: GradientProblem, _ variable: GradientProblem.Variable, _ gradient: [Double], _ set: KernelSet<Float>
    ) -> GradientReport.Derivative {
        var row = Self.row(problem, variable, .doubleDifferences, Self.name(problem, set))
        for index in variable.differences.indices {
            let derivative = variable.differences[index]
            let given = variable.rounded[index] - variable.exact[index]
            let rounding = variable.gradient.bound(error: variable.roundedErrors[index])
            row.add(index, gradient[index], derivative.value + given, derivative.bound + rounding)
        }
        return row
    }

    private func along(
        _ problem: GradientProblem, _ variable: GradientProblem.Variable, _ gradient: [Double], _ set: KernelSet<Float>
    ) -> GradientReport.Derivative {
        var row = Self.row(problem, variable, .ownForward, Self.name(problem, set))
        var generator = SplitMix64(state: seed &+ UInt64(gradient.count))
        for number in 0..<Self.directions {
            let direction = problem.direction(of: variable, using: &generator)
            let derivative = problem.ownDerivative(set, variable, along: direction)
            var (product, bound) = (0.0, derivative.bound)
            for index in direction.indices {
                product += direction[index] * gradient[index]
                let rounding = variable.gradient.bound(error: variable.roundedErrors[index])
                bound += abs(direction[index]) * (rounding + abs(variable.rounded[index] - variable.exact[index]))
            }
            row.add(number, product, derivative.value, bound)
        }
        return row
    }

    private static func name(_ problem: GradientProblem, _ set: KernelSet<Float>) -> String {
        set.implementation(of: problem.backward) ?? "none"
    }

    private static func row(
        _ problem: GradientProblem, _ variable: GradientProblem.Variable, _ method: GradientReport.Method,
        _ implementation: String
    ) -> GradientReport.Derivative {
        GradientReport.Derivative(
            kernel: problem.backward.name.description, argument: variable.gradient.name, method: method,
            implementation: implementation)
    }

    /// The rows of all problems, those of one kernel's argument and method together.
    private func collect(_ rows: (GradientProblem) -> [GradientReport.Derivative]) -> [GradientReport.Derivative] {
        problems.flatMap(rows).reduce(into: []) { merged, row in
            if let index = merged.firstIndex(where: { $0.isAlike(row) }) {
                merged[index].merge(row)
            } else {
                merged.append(row)
            }
        }
    }
}
