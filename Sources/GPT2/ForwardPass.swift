import Kernels
import Tensors

/// The layers between the encoding and the head, as the model runs them and the decoder: each on the first B · T positions
/// of its tensors, which may have more.
struct ForwardPass<Scalar: KernelScalar> {
    let kernels: KernelSet<Scalar>
    /// What the layouts of parameters and activations name.
    let parameters, activations: MutableView<Scalar>
    let heads: Int
    /// The sequences, and the tokens of each.
    let B, T: Int
    /// The tokens before them, in a cache.
    var S = 0

    /// One transformer block: attention, then a perceptron; each of them reads a norm of the residual stream and is added
    /// to it.
    func block(_ w: ParameterLayout.Block, _ a: ActivationLayout.Block, from residual: TensorSpecification) {
        norm(a.ln1, a.ln1_mean, a.ln1_rstd, of: residual, w.ln_1)
        linear(a.qkv, of: a.ln1, w.attn.c_attn)
        attend(a)
        linear(a.attproj, of: a.atty, w.attn.c_proj)
        add(a.residual2, residual, a.attproj)

        norm(a.ln2, a.ln2_mean, a.ln2_rstd, of: a.residual2, w.ln_2)
        linear(a.fch, of: a.ln2, w.mlp.c_fc)
        let fch = self[a.fch]
        kernels.run(GELU.Forward(out: self[a.fch_gelu], inp: View(fch), N: fch.count))
        linear(a.fcproj, of: a.fch_gelu, w.mlp.c_proj)
        add(a.residual3, a.residual2, a.fcproj)
    }

    /// A layer norm and its statistics.
    func norm(
        _ out: TensorSpecification, _ mean: TensorSpecification, _ rstd: TensorSpecification,
        of inp: TensorSpecification, _ norm: ParameterLayout.Affine
    ) {
        kernels.run(
            LayerNorm.Forward(
                out: self[out], mean: self[mean], rstd: self[rstd], inp: View(self[inp]),
                weight: parameter(norm.weight), bias: parameter(norm.bias), B: B, T: T, C: norm.weight.count))
    }

    private func attend(_ a: ActivationLayout.Block) {
        let (out, qkv) = (self[a.atty], View(self[a.qkv]))
        let C = out.count / (B * T)
        switch a.attention {
        case .plain(let preatt, let att):
            kernels.run(
                Attention.Forward(
                    out: out, preatt: whole(preatt), att: whole(att), inp: qkv, B: B, T: T, C: C, NH: heads))
        case .fused(let lse):
            kernels.run(FlashAttention.Forward(out: out, lse: whole(lse), inp: qkv, B: B, T: T, C: C, NH: heads))
        case .cached(let keys, let values):
            kernels.run(
                CachedAttention.Forward(
                    out: out, keyCache: whole(keys), valueCache: whole(values), inp: qkv,
                    B: B, T: T, S: S, P: keys.shape[1], C: C, NH: heads))
        }
    }

    private func linear(_ out: TensorSpecification, of inp: TensorSpecification, _ linear: ParameterLayout.Affine) {
        kernels.run(
            Matmul.Forward(
                out: self[out], inp: View(self[inp]), weight: parameter(linear.weight), bias: parameter(linear.bias),
                B: B, T: T, C: linear.weight.shape[1], OC: linear.weight.shape[0]))
    }

    private func add(_ out: TensorSpecification, _ inp1: TensorSpecification, _ inp2: TensorSpecification) {
        let out = self[out]
        kernels.run(Residual.Forward(out: out, inp1: View(self[inp1]), inp2: View(self[inp2]), N: out.count))
    }

    /// The first B · T positions of an activation.
    private subscript(tensor: TensorSpecification) -> MutableView<Scalar> {
        whole(tensor).slice(0..<B * T * (tensor.count / (tensor.shape[0] * tensor.shape[1])))
    }

    private func whole(_ tensor: TensorSpecification) -> MutableView<Scalar> { activations.slice(tensor.range) }

    private func parameter(_ tensor: TensorSpecification) -> View<Scalar> { View(parameters.slice(tensor.range)) }
}
