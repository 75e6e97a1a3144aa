import Tensors

/// Where the gradient of each activation lies: `d` and the activation's name, of its shape.
public struct GradientLayout: Sendable {
    /// The gradients within attention.
    public enum AttentionGradients: Sendable {
        /// Those of the scores, (B, NH, T, T).
        case plain(dpreatt: TensorSpecification, datt: TensorSpecification)
        /// None are kept.
        case fused
    }

    /// The gradients of one block.
    public struct Block: Sendable {
        /// The gradient of the activation of that name in ``ActivationLayout/Block``.
        public let dln1, dqkv, datty, dattproj, dresidual2: TensorSpecification
        /// The gradient of the activation of that name in ``ActivationLayout/Block``.
        public let dln2, dfch, dfch_gelu, dfcproj, dresidual3: TensorSpecification
        /// The gradients within attention.
        public let attention: AttentionGradients
    }

    /// All tensors, in the order of the activations.
    public let tensors: TensorLayout
    /// The gradient of the encoding.
    public let dencoded: TensorSpecification
    /// The blocks.
    public let h: [Block]
    /// The gradients of the last norm and the losses.
    public let dlnf, dlosses: TensorSpecification
    /// The gradient of the logits; nil where it takes the logits' own place.
    public let dlogits: TensorSpecification?

    /// The gradients of those activations.
    public init(_ activations: ActivationLayout, memory: ActivationMemory = .complete) {
        switch memory {
        case .complete: self.init(complete: activations)
        case .lean: self.init(lean: activations)
        }
    }

    private init(complete activations: ActivationLayout) {
        var tensors = TensorLayout()
        dencoded = tensors.append("dencoded", activations.encoded.shape)
        h = activations.h.enumerated().map { l, a in
            func add(_ name: String, like activation: TensorSpecification) -> TensorSpecification {
                tensors.append("h.\(l).\(name)", activation.shape)
            }
            let attention: AttentionGradients =
                switch a.attention {
                case .plain(let preatt, let att):
                    .plain(dpreatt: add("dpreatt", like: preatt), datt: add("datt", like: att))
                case .fused, .cached: .fused
                }
            return Block(
                dln1: add("dln1", like: a.ln1), dqkv: add("dqkv", like: a.qkv), datty: add("datty", like: a.atty),
                dattproj: add("dattproj", like: a.attproj), dresidual2: add("dresidual2", like: a.residual2),
                dln2: add("dln2", like: a.ln2), dfch: add("dfch", like: a.fch),
                dfch_gelu: add("dfch_gelu", like: a.fch_gelu), dfcproj: add("dfcproj", like: a.fcproj),
                dresidual3: add("dresidual3", like: a.residual3),
                attention: attention)
        }
        dlnf = tensors.append("dlnf", activations.lnf.shape)
        dlogits = tensors.append("dlogits", activations.logits.shape)
        dlosses = tensors.append("dlosses", activations.losses.shape)
        self.tensors = tensors
    }

    /// The gradient of the residual stream passes through all blocks in one place: what adds to the stream has the stream's
    /// own gradient. That of a norm's output, or of attention's, lives until the next is written.
    private init(lean activations: ActivationLayout) {
        var tensors = TensorLayout()
        func add(_ name: String, like activation: TensorSpecification) -> TensorSpecification {
            tensors.append(name, activation.shape)
        }
        let stream = add("dresidual", like: activations.encoded)
        let branch = add("dnorm", like: activations.encoded)
        let a = activations.h[0]
        let (dqkv, dfch, dfch_gelu) = (
            add("dqkv", like: a.qkv), add("dfch", like: a.fch), add("dfch_gelu", like: a.fch_gelu)
        )
        h = activations.h.map { _ in
            Block(
                dln1: branch, dqkv: dqkv, datty: branch, dattproj: stream, dresidual2: stream, dln2: branch, dfch: dfch,
                dfch_gelu: dfch_gelu, dfcproj: stream, dresidual3: stream, attention: .fused)
        }
        dencoded = stream
        dlnf = branch
        dlogits = nil
        dlosses = add("dlosses", like: activations.losses)
        self.tensors = tensors
    }

    /// The gradient of the stream that enters block l.
    func dresidual(entering l: Int) -> TensorSpecification { l == 0 ? dencoded : h[l - 1].dresidual3 }
}
