import Tensors

extension GPT2 {
    /// The bytes that such a model takes in training: its parameters, their gradients and moments, and the activations
    /// of a batch with theirs; `Int.max` where that is beyond counting.
    ///
    /// All of it grows by the same amount with each layer, so that models of one and two layers tell it of any.
    public static func footprint(
        of configuration: Configuration, batch: Int, sequence: Int, memory: ActivationMemory
    ) -> Int {
        func elements(layers: Int) -> Int {
            var part = configuration
            part.layers = layers
            let activations = ActivationLayout(part, B: batch, T: sequence, memory: memory)
            let gradients = GradientLayout(activations, memory: memory)
            return 4 * ParameterLayout(part).tensors.count + activations.tensors.count + gradients.tensors.count
        }
        let (one, two) = (elements(layers: 1), elements(layers: 2))
        let (others, overflow) = (two - one).multipliedReportingOverflow(by: configuration.layers - 1)
        let (bytes, isTooLarge) = (one + (overflow ? 0 : others)).multipliedReportingOverflow(
            by: MemoryLayout<Scalar>.stride)
        return overflow || isTooLarge || others > TensorLayout.most ? .max : bytes
    }
}
