import Kernels
import Tensors

extension GPT2 {
    /// Sets the parameters' gradients to 0, as before the first micro-batch of a step.
    public func zeroGradients() { parameterGradients.fill(0) }

    /// Computes the gradient of the mean loss times `scale`, after ``forward()``: every activation's anew, and the
    /// parameters' added to what is there, unless it `overwrites` them: in the first micro-batch of a step nothing need be
    /// zeroed then.
    public func backward(scale: Double = 1, overwrites: Bool = false) {
        let (B, T, C) = (batch, sequence, configuration.channels)
        let (w, x, d) = (parameterLayout, activationLayout, gradientLayout)
        let parameters: Overwriting = overwrites ? .parameters : []
        // Where all gradients have places of their own, each may be added to from several sides.
        let activations: Overwriting = memory == .lean ? .activations : []
        if memory == .complete { activationGradients.fill(0) }

        activationGradients[d.dlosses].fill(Scalar(scale / Double(B * T)))
        let dlogits = classify()
        kernels.run(
            Matmul.Backward(
                dinp: activationGradients[d.dlnf], dweight: parameterGradients[w.wte], dbias: nil,
                dout: View(dlogits), inp: self.activations[x.lnf], weight: self.parameters[w.wte],
                B: B, T: T, C: C, OC: configuration.paddedVocabularySize, overwrites: [activations, parameters]))
        norm(
            into: d.dresidual(entering: configuration.layers), from: d.dlnf,
            of: x.residual(entering: configuration.layers), x.lnf_mean, x.lnf_rstd, w.ln_f, [activations, parameters])

        for l in (0..<configuration.layers).reversed() {
            let (w, a, g) = (w.h[l], x.h[l], d.h[l])
            let dresidual = d.dresidual(entering: l)

            add(into: g.dresidual2, g.dfcproj, from: g.dresidual3)
            linear(into: g.dfch_gelu, from: g.dfcproj, of: a.fch_gelu, w.mlp.c_proj, [activations, parameters])
            kernels.run(
                GELU.Backward(
                    dinp: activationGradients[g.dfch], inp: self.activations[a.fch],
                    dout: activationGradients[g.dfch_gelu], N: a.fch.count, overwrites: activations))
            linear(into: g.dln2, from: g.dfch, of: a.ln2, w.mlp.c_fc, [activations, parameters])
            norm(into: g.dresidual2, from: g.dln2, of: a.residual2, a.ln2_mean, a.ln2_rstd, w.ln_2, parameters)

            add(into: dresidual, g.dattproj, from: g.dresidual2)
            linear(into: g.datty, from: g.dattproj, of: a.atty, w.attn.c_proj, [activations, parameters])
            attend(g, a)
            linear(into: g.dln1, from: g.dqkv, of: a.ln1, w.attn.c_attn, [activations, parameters])
            norm(
                into: dresidual, from: g.dln1, of: x.residual(entering: l), a.ln1_mean, a.ln1_rstd, w.ln_1, parameters)
        }

        // The head has written all of wte's gradient; wpe's is still what it was.
        if overwrites { parameterGradients[w.wpe].fill(0) }
        kernels.run(
            Encoder.Backward(
                dwte: parameterGradients[w.wte], dwpe: parameterGradients[w.wpe], dout: activationGradients[d.dencoded],
                inp: View(inputs.view), B: B, T: T, C: C))
    }

    /// Computes the gradient of the logits, and returns where it lies.
    private func classify() -> MutableView<Scalar> {
        let (x, d) = (activationLayout, gradientLayout)
        let (V, Vp) = (configuration.vocabularySize, configuration.paddedVocabularySize)
        let dlogits: MutableView<Scalar> = d.dlogits.map { activationGradients[$0] } ?? activations[x.logits]
        switch x.classifier {
        case .plain(let probs):
            kernels.run(
                CrossEntropySoftmax.Backward(
                    dlogits: dlogits, dlosses: activationGradients[d.dlosses], probs: activations[probs],
                    targets: View(targets.view), B: batch, T: sequence, V: V, Vp: Vp))
        case .fused(let lse):
            kernels.run(
                Classifier.Backward(
                    dlogits: dlogits, dlosses: activationGradients[d.dlosses], logits: activations[x.logits],
                    lse: activations[lse], targets: View(targets.view), B: batch, T: sequence, V: V, Vp: Vp))
        }
        return dlogits
    }

    private func attend(_ g: GradientLayout.Block, _ a: ActivationLayout.Block) {
        let (B, T, C, NH) = (batch, sequence, configuration.channels, configuration.heads)
        switch (a.attention, g.attention) {
        case (.plain(_, let att), .plain(let dpreatt, let datt)):
            kernels.run(
                Attention.Backward(
                    dinp: activationGradients[g.dqkv], dpreatt: activationGradients[dpreatt],
                    datt: activationGradients[datt], dout: activationGradients[g.datty], inp: activations[a.qkv],
                    att: activations[att], B: B, T: T, C: C, NH: NH))
        case (.fused(let lse), .fused):
            kernels.run(
                FlashAttention.Backward(
                    dinp: activationGradients[g.dqkv], dout: activationGradients[g.datty], inp: activations[a.qkv],
                    out: activations[a.atty], lse: activations[lse], B: B, T: T, C: C, NH: NH, overwrites: .activations)
            )
        default: preconditionFailure("the layouts of activations and gradients do not belong together")
        }
    }

    private func norm(
        into dinp: TensorSpecification, from dout: TensorSpecification, of inp: TensorSpecification,
        _ mean: TensorSpecification, _ rstd: TensorSpecification, _ norm: ParameterLayout.Affine,
        _ overwrites: Overwriting
    ) {
        kernels.run(
            LayerNorm.Backward(
                dinp: activationGradients[dinp], dweight: parameterGradients[norm.weight],
                dbias: parameterGradients[norm.bias], dout: activationGradients[dout], inp: activations[inp],
                weight: parameters[norm.weight], mean: activations[mean], rstd: activations[rstd],
                B: batch, T: sequence, C: norm.weight.count, overwrites: overwrites))
    }

    private func linear(
        into dinp: TensorSpecification, from dout: TensorSpecification, of inp: TensorSpecification,
        _ linear: ParameterLayout.Affine, _ overwrites: Overwriting
    ) {
        kernels.run(
            Matmul.Backward(
                dinp: activationGradients[dinp], dweight: parameterGradients[linear.weight],
                dbias: parameterGradients[linear.bias], dout: activationGradients[dout], inp: activations[inp],
                weight: parameters[linear.weight],
                B: batch, T: sequence, C: linear.weight.shape[1], OC: linear.weight.shape[0], overwrites: overwrites))
    }

    /// Hands the gradient of a sum to both addends, unless they share its place.
    private func add(into dinp1: TensorSpecification, _ dinp2: TensorSpecification, from dout: TensorSpecification) {
        if dinp1 == dout && dinp2 == dout { return }
        kernels.run(
            Residual.Backward(
                dinp1: activationGradients[dinp1], dinp2: activationGradients[dinp2], dout: activationGradients[dout],
                N: dout.count))
    }
}
