import Kernels
import Tensors

extension GPT2 {
    /// Computes every activation from the tokens loaded, and returns the mean loss.
    @discardableResult
    public func forward() -> Double {
        let (B, T, C, NH) = (batch, sequence, configuration.channels, configuration.heads)
        let (V, Vp) = (configuration.vocabularySize, configuration.paddedVocabularySize)
        let (w, x) = (parameterLayout, activationLayout)

        kernels.run(
            Encoder.Forward(
                out: activations[x.encoded], inp: View(inputs.view), wte: parameters[w.wte], wpe: parameters[w.wpe],
                B: B, T: T, C: C))

        for (l, (w, a)) in zip(w.h, x.h).enumerated() {
            let residual = x.residual(entering: l)
            norm(a.ln1, a.ln1_mean, a.ln1_rstd, of: residual, w.ln_1)
            linear(a.qkv, of: a.ln1, w.attn.c_attn)
            switch a.attention {
            case .plain(let preatt, let att):
                kernels.run(
                    Attention.Forward(
                        out: activations[a.atty], preatt: activations[preatt], att: activations[att],
                        inp: activations[a.qkv], B: B, T: T, C: C, NH: NH))
            case .fused(let lse):
                kernels.run(
                    FlashAttention.Forward(
                        out: activations[a.atty], lse: activations[lse], inp: activations[a.qkv],
                        B: B, T: T, C: C, NH: NH))
            }
            linear(a.attproj, of: a.atty, w.attn.c_proj)
            add(a.residual2, residual, a.attproj)

            norm(a.ln2, a.ln2_mean, a.ln2_rstd, of: a.residual2, w.ln_2)
            linear(a.fch, of: a.ln2, w.mlp.c_fc)
            kernels.run(GELU.Forward(out: activations[a.fch_gelu], inp: activations[a.fch], N: a.fch.count))
            linear(a.fcproj, of: a.fch_gelu, w.mlp.c_proj)
            add(a.residual3, a.residual2, a.fcproj)
        }

        norm(x.lnf, x.lnf_mean, x.lnf_rstd, of: x.residual(entering: configuration.layers), w.ln_f)
        kernels.run(
            Matmul.Forward(
                out: activations[x.logits], inp: activations[x.lnf], weight: parameters[w.wte], bias: nil,
                B: B, T: T, C: C, OC: Vp))
        switch x.classifier {
        case .plain(let probs):
            kernels.run(
                Softmax.Forward(probs: activations[probs], logits: activations[x.logits], B: B, T: T, V: V, Vp: Vp))
            kernels.run(
                CrossEntropy.Forward(
                    losses: activations[x.losses], probs: activations[probs], targets: View(targets.view),
                    B: B, T: T, Vp: Vp))
        case .fused(let lse):
            kernels.run(
                Classifier.Forward(
                    losses: activations[x.losses], lse: activations[lse], logits: activations[x.logits],
                    targets: View(targets.view), B: B, T: T, V: V, Vp: Vp))
        }

        let losses: View<Scalar> = activations[x.losses]
        return losses.buffer.reduce(0) { $0 + Double($1) } / Double(losses.count)
    }

    private func norm(
        _ out: TensorSpecification, _ mean: TensorSpecification, _ rstd: TensorSpecification,
        of inp: TensorSpecification, _ norm: ParameterLayout.Affine
    ) {
        kernels.run(
            LayerNorm.Forward(
                out: activations[out], mean: activations[mean], rstd: activations[rstd], inp: activations[inp],
                weight: parameters[norm.weight], bias: parameters[norm.bias],
                B: batch, T: sequence, C: norm.weight.count))
    }

    private func linear(_ out: TensorSpecification, of inp: TensorSpecification, _ linear: ParameterLayout.Affine) {
        kernels.run(
            Matmul.Forward(
                out: activations[out], inp: activations[inp], weight: parameters[linear.weight],
                bias: parameters[linear.bias],
                B: batch, T: sequence, C: linear.weight.shape[1], OC: linear.weight.shape[0]))
    }

    private func add(_ out: TensorSpecification, _ inp1: TensorSpecification, _ inp2: TensorSpecification) {
        kernels.run(
            Residual.Forward(
                out: activations[out], inp1: activations[inp1], inp2: activations[inp2], N: out.count))
    }
}
