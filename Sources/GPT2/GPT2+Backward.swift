import Kernels
import Tensors

extension GPT2 {
    /// Sets the parameters' gradients to 0, as before the first micro-batch of a step.
    public func zeroGradients() { parameterGradients.fill(0) }

    /// Computes the gradient of the mean loss times `scale`, after ``forward()``: every activation's anew, and the
    /// parameters' added to what is there.
    public func backward(scale: Double = 1) {
        let (B, T, C, NH) = (batch, sequence, configuration.channels, configuration.heads)
        let (V, Vp) = (configuration.vocabularySize, configuration.paddedVocabularySize)
        let (w, x, d) = (parameterLayout, activationLayout, gradientLayout)

        activationGradients.fill(0)
        activationGradients[d.dlosses].fill(Scalar(scale / Double(B * T)))
        kernels.run(
            CrossEntropySoftmax.Backward(
                dlogits: activationGradients[d.dlogits], dlosses: activationGradients[d.dlosses],
                probs: activations[x.probs], targets: View(targets.view), B: B, T: T, V: V, Vp: Vp))
        kernels.run(
            Matmul.Backward(
                dinp: activationGradients[d.dlnf], dweight: parameterGradients[w.wte], dbias: nil,
                dout: activationGradients[d.dlogits], inp: activations[x.lnf], weight: parameters[w.wte],
                B: B, T: T, C: C, OC: Vp))
        norm(
            into: d.dresidual(entering: configuration.layers), from: d.dlnf,
            of: x.residual(entering: configuration.layers), x.lnf_mean, x.lnf_rstd, w.ln_f)

        for l in (0..<configuration.layers).reversed() {
            let (w, a, g) = (w.h[l], x.h[l], d.h[l])
            let dresidual = d.dresidual(entering: l)

            add(into: g.dresidual2, g.dfcproj, from: g.dresidual3)
            linear(into: g.dfch_gelu, from: g.dfcproj, of: a.fch_gelu, w.mlp.c_proj)
            kernels.run(
                GELU.Backward(
                    dinp: activationGradients[g.dfch], inp: activations[a.fch], dout: activationGradients[g.dfch_gelu],
                    N: a.fch.count))
            linear(into: g.dln2, from: g.dfch, of: a.ln2, w.mlp.c_fc)
            norm(into: g.dresidual2, from: g.dln2, of: a.residual2, a.ln2_mean, a.ln2_rstd, w.ln_2)

            add(into: dresidual, g.dattproj, from: g.dresidual2)
            linear(into: g.datty, from: g.dattproj, of: a.atty, w.attn.c_proj)
            kernels.run(
                Attention.Backward(
                    dinp: activationGradients[g.dqkv], dpreatt: activationGradients[g.dpreatt],
                    datt: activationGradients[g.datt], dout: activationGradients[g.datty], inp: activations[a.qkv],
                    att: activations[a.att], B: B, T: T, C: C, NH: NH))
            linear(into: g.dln1, from: g.dqkv, of: a.ln1, w.attn.c_attn)
            norm(into: dresidual, from: g.dln1, of: x.residual(entering: l), a.ln1_mean, a.ln1_rstd, w.ln_1)
        }

        kernels.run(
            Encoder.Backward(
                dwte: parameterGradients[w.wte], dwpe: parameterGradients[w.wpe], dout: activationGradients[d.dencoded],
                inp: View(inputs.view), B: B, T: T, C: C))
    }

    private func norm(
        into dinp: TensorSpecification, from dout: TensorSpecification, of inp: TensorSpecification,
        _ mean: TensorSpecification, _ rstd: TensorSpecification, _ norm: ParameterLayout.Affine
    ) {
        kernels.run(
            LayerNorm.Backward(
                dinp: activationGradients[dinp], dweight: parameterGradients[norm.weight],
                dbias: parameterGradients[norm.bias], dout: activationGradients[dout], inp: activations[inp],
                weight: parameters[norm.weight], mean: activations[mean], rstd: activations[rstd],
                B: batch, T: sequence, C: norm.weight.count))
    }

    private func linear(
        into dinp: TensorSpecification, from dout: TensorSpecification, of inp: TensorSpecification,
        _ linear: ParameterLayout.Affine
    ) {
        kernels.run(
            Matmul.Backward(
                dinp: activationGradients[dinp], dweight: parameterGradients[linear.weight],
                dbias: parameterGradients[linear.bias], dout: activationGradients[dout], inp: activations[inp],
                weight: parameters[linear.weight],
                B: batch, T: sequence, C: linear.weight.shape[1], OC: linear.weight.shape[0]))
    }

    private func add(into dinp1: TensorSpecification, _ dinp2: TensorSpecification, from dout: TensorSpecification) {
        kernels.run(
            Residual.Backward(
                dinp1: activationGradients[dinp1], dinp2: activationGradients[dinp2], dout: activationGradients[dout],
                N: dout.count))
    }
}
