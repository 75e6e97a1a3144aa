import Kernels

/// What a kernel read and what it should have written, in double.
public struct CallValues {
    /// The sizes, by name.
    public var sizes: [String: Int]
    /// AdamW's numbers.
    public var hyperparameters: AdamW.Hyperparameters
    /// The arguments that are only read; tokens as numbers.
    public var inputs: [String: [Double]]
    /// What accumulators held before.
    public var initial: [String: [Double]]
    /// The results.
    public var truth: [String: [Double]]

    /// Values as given.
    public init(
        sizes: [String: Int], hyperparameters: AdamW.Hyperparameters = AdamW.Hyperparameters(),
        inputs: [String: [Double]], initial: [String: [Double]], truth: [String: [Double]]
    ) {
        self.sizes = sizes
        self.hyperparameters = hyperparameters
        self.inputs = inputs
        self.initial = initial
        self.truth = truth
    }
}

extension CallValues {
    subscript(name: String) -> [Double] { inputs[name] ?? [] }
    subscript(truth name: String) -> [Double] { truth[name] ?? [] }
    func size(_ name: String) -> Int { sizes[name] ?? 1 }

    /// What the result held before; zeros where it is overwritten.
    subscript(initial name: String) -> [Double] {
        initial[name] ?? [Double](repeating: 0, count: self[truth: name].count)
    }
}
