import Tensors

/// Where each parameter lies, under its PyTorch `state_dict` key; gradients and moments share the layout.
///
/// The nesting is that of the PyTorch modules: `h[0].attn.c_attn.weight` is `transformer.h.0.attn.c_attn.weight`.
public struct ParameterLayout: Sendable {
    /// An affine map's parameters: a linear layer's weight (OC, C) and bias (OC), or a layer norm's, both (C).
    public struct Affine: Sendable {
        /// The matrix or scale.
        public let weight: TensorSpecification
        /// The shift.
        public let bias: TensorSpecification

        fileprivate init(_ tensors: inout TensorLayout, _ name: String, weight: [Int]) {
            self.weight = tensors.append("transformer.\(name).weight", weight)
            bias = tensors.append("transformer.\(name).bias", [weight[0]])
        }
    }

    /// The attention of a block.
    public struct AttentionParameters: Sendable {
        /// To query, key and value, (3C, C).
        public let c_attn: Affine
        /// Back to the residual stream, (C, C).
        public let c_proj: Affine
    }

    /// The multi-layer perceptron of a block.
    public struct MLP: Sendable {
        /// To the hidden channels, (4C, C).
        public let c_fc: Affine
        /// Back to the residual stream, (C, 4C).
        public let c_proj: Affine
    }

    /// One transformer block.
    public struct Block: Sendable {
        /// The norm before attention.
        public let ln_1: Affine
        /// Attention.
        public let attn: AttentionParameters
        /// The norm before the perceptron.
        public let ln_2: Affine
        /// The perceptron.
        public let mlp: MLP
    }

    /// All tensors, in order.
    public let tensors: TensorLayout
    /// Token embedding and, transposed, the head; (Vp, C).
    public let wte: TensorSpecification
    /// Position embedding, (block size, C).
    public let wpe: TensorSpecification
    /// The blocks.
    public let h: [Block]
    /// The last norm.
    public let ln_f: Affine

    /// The parameters of a model of that configuration.
    public init(_ configuration: Configuration) {
        let C = configuration.channels
        var tensors = TensorLayout()
        wte = tensors.append("transformer.wte.weight", [configuration.paddedVocabularySize, C])
        wpe = tensors.append("transformer.wpe.weight", [configuration.blockSize, C])
        h = (0..<configuration.layers).map { l in
            Block(
                ln_1: Affine(&tensors, "h.\(l).ln_1", weight: [C]),
                attn: AttentionParameters(
                    c_attn: Affine(&tensors, "h.\(l).attn.c_attn", weight: [3 * C, C]),
                    c_proj: Affine(&tensors, "h.\(l).attn.c_proj", weight: [C, C])),
                ln_2: Affine(&tensors, "h.\(l).ln_2", weight: [C]),
                mlp: MLP(
                    c_fc: Affine(&tensors, "h.\(l).mlp.c_fc", weight: [4 * C, C]),
                    c_proj: Affine(&tensors, "h.\(l).mlp.c_proj", weight: [C, 4 * C])))
        }
        ln_f = Affine(&tensors, "ln_f", weight: [C])
        self.tensors = tensors
    }
}
