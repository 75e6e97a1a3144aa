import Kernels
import Tensors

/// A kernel with its choices as properties: those that are free, and those that are not, each right by default.
///
/// A right variant chooses among the free ones; a fault is a recipe with a property that is wrong.
protocol Recipe: Sendable {
    /// The kernel.
    associatedtype K: Kernel<Float>

    /// The order of its sums.
    var arithmetic: Arithmetic { get set }

    /// The right recipe.
    init()

    /// Takes the other free choices at random.
    mutating func choose(using generator: inout SplitMix64)

    /// Computes the call.
    func run(_ a: K, _ workers: Workers)

    /// The ways to get it wrong.
    static var faults: [Change<Self>] { get }
}

/// A way to get a recipe wrong.
struct Change<R: Recipe>: Sendable {
    /// What is wrong, in words.
    let name: String
    let apply: @Sendable (inout R) -> Void

    init(_ name: String, _ apply: @escaping @Sendable (inout R) -> Void) {
        self.name = name
        self.apply = apply
    }
}

extension Recipe {
    mutating func choose(using generator: inout SplitMix64) {}

    /// The name of its kernel.
    static var kernel: KernelName { K.name }

    /// The recipe as an implementation.
    var implementation: Implementation<Float> { Implementation("recipe") { run($0, $1) } }

    /// A right variant, chosen at random.
    static func variant(using generator: inout SplitMix64) -> (
        description: String, implementation: Implementation<Float>
    ) {
        let recipe = random(using: &generator)
        return (recipe.choices, recipe.implementation)
    }

    /// A right recipe, chosen at random.
    static func random(using generator: inout SplitMix64) -> Self {
        var recipe = Self()
        recipe.arithmetic = .random(using: &generator)
        recipe.choose(using: &generator)
        return recipe
    }

    /// What it chose other than the plain recipe, in words.
    var choices: String {
        let plain = Dictionary(
            uniqueKeysWithValues: Mirror(reflecting: Self()).children.map { ($0.label, "\($0.value)") })
        let others = Mirror(reflecting: self).children.compactMap { child -> String? in
            let value = "\(child.value)"
            guard let label = child.label, label != "arithmetic", value != plain[label] else { return nil }
            return value == "true" ? label : "\(label) \(value)"
        }
        return (["\(arithmetic)"] + others).joined(separator: ", ")
    }

    /// Its faults.
    static var planted: [Fault] {
        faults.map { change in
            var recipe = Self()
            change.apply(&recipe)
            return Fault(change.name, in: recipe.implementation)
        }
    }
}
