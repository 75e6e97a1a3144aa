import Kernels
import Tensors

extension GPT2 {
    /// Sets the parameters to GPT-2's random start: weights from N(0, 0.02²), those that write to the residual stream
    /// scaled by 1/√(2L), norms 1, biases 0.
    ///
    /// Source: Radford et al. 2019, section 2.3; nanoGPT `_init_weights`.
    public func initialize(seed: UInt64) {
        var generator = SplitMix64(state: seed)
        let residualScale = 1 / (2 * Double(configuration.layers)).squareRoot()
        for tensor in parameterLayout.tensors.tensors {
            let view: MutableView<Scalar> = parameters[tensor]
            guard tensor.shape.count == 2 else {
                view.fill(tensor.name.hasSuffix(".weight") ? 1 : 0)
                continue
            }
            let deviation = 0.02 * (tensor.name.hasSuffix("c_proj.weight") ? residualScale : 1)
            for i in 0..<view.count { view[i] = Scalar(deviation * generator.normal()) }
        }
        // The vocabulary's padding is 0.
        let padding = configuration.vocabularySize * configuration.channels..<parameterLayout.wte.count
        parameters[parameterLayout.wte].slice(padding).fill(0)
    }
}
