import Tensors

/// Where the gradient of each activation lies: `d` and the activation's name, of its shape.
public struct GradientLayout: Sendable {
    /// The gradients of one block.
    public struct Block: Sendable {
        /// The gradient of the activation of that name in ``ActivationLayout/Block``.
        public let dln1, dqkv, dpreatt, datt, datty, dattproj, dresidual2: TensorSpecification
        /// The gradient of the activation of that name in ``ActivationLayout/Block``.
        public let dln2, dfch, dfch_gelu, dfcproj, dresidual3: TensorSpecification
    }

    /// All tensors, in the order of the activations.
    public let tensors: TensorLayout
    /// The gradient of the encoding.
    public let dencoded: TensorSpecification
    /// The blocks.
    public let h: [Block]
    /// The gradients of the last norm, the logits and the losses.
    public let dlnf, dlogits, dlosses: TensorSpecification

    /// The gradients of those activations.
    public init(_ activations: ActivationLayout) {
        var tensors = TensorLayout()
        dencoded = tensors.append("dencoded", activations.encoded.shape)
        h = activations.h.enumerated().map { l, a in
            func add(_ name: String, like activation: TensorSpecification) -> TensorSpecification {
                tensors.append("h.\(l).\(name)", activation.shape)
            }
            return Block(
                dln1: add("dln1", like: a.ln1), dqkv: add("dqkv", like: a.qkv), dpreatt: add("dpreatt", like: a.preatt),
                datt: add("datt", like: a.att), datty: add("datty", like: a.atty),
                dattproj: add("dattproj", like: a.attproj), dresidual2: add("dresidual2", like: a.residual2),
                dln2: add("dln2", like: a.ln2), dfch: add("dfch", like: a.fch),
                dfch_gelu: add("dfch_gelu", like: a.fch_gelu), dfcproj: add("dfcproj", like: a.fcproj),
                dresidual3: add("dresidual3", like: a.residual3))
        }
        dlnf = tensors.append("dlnf", activations.lnf.shape)
        dlogits = tensors.append("dlogits", activations.logits.shape)
        dlosses = tensors.append("dlosses", activations.losses.shape)
        self.tensors = tensors
    }

    /// The gradient of the stream that enters block l.
    func dresidual(entering l: Int) -> TensorSpecification { l == 0 ? dencoded : h[l - 1].dresidual3 }
}
