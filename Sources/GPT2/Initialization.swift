import Foundation
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

/// Steele, Lea and Flood 2014, Fast splittable pseudorandom number generators.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// A draw from the normal distribution, by Box and Muller 1958.
    mutating func normal() -> Double {
        let radius = (-2 * log(Double.random(in: Double.leastNonzeroMagnitude..<1, using: &self))).squareRoot()
        return radius * cos(2 * .pi * Double.random(in: 0..<1, using: &self))
    }
}
