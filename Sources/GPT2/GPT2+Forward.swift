import Kernels
import Tensors

extension GPT2 {
    /// Computes every activation from the tokens loaded, and returns the mean loss.
    @discardableResult
    public func forward() -> Double {
        let (B, T, C) = (batch, sequence, configuration.channels)
        let (V, Vp) = (configuration.vocabularySize, configuration.paddedVocabularySize)
        let (w, x) = (parameterLayout, activationLayout)

        kernels.run(
            Encoder.Forward(
                out: activations[x.encoded], inp: View(inputs.view), wte: parameters[w.wte], wpe: parameters[w.wpe],
                B: B, T: T, C: C))

        let pass = ForwardPass(
            kernels: kernels, parameters: parameters.elements, activations: activations.elements,
            heads: configuration.heads, B: B, T: T)
        for (l, (w, a)) in zip(w.h, x.h).enumerated() { pass.block(w, a, from: x.residual(entering: l)) }
        pass.norm(x.lnf, x.lnf_mean, x.lnf_rstd, of: x.residual(entering: configuration.layers), w.ln_f)
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
}
