import Tensors

/// Where each activation of a forward pass lies, under llm.c's name; those of block l as `h.l.name`.
public struct ActivationLayout: Sendable {
    /// What attention leaves besides its output.
    public enum AttentionTensors: Sendable {
        /// The scores before and after softmax, (B, NH, T, T).
        case plain(preatt: TensorSpecification, att: TensorSpecification)
        /// The logarithm of each row's sum, (B, NH, T).
        case fused(lse: TensorSpecification)
        /// The keys and values of the text so far, (1, block size, C): a decoder's.
        case cached(keys: TensorSpecification, values: TensorSpecification)
    }

    /// What the classifier leaves besides the losses.
    public enum ClassifierTensors: Sendable {
        /// The probabilities of the next token, (B, T, Vp).
        case plain(probs: TensorSpecification)
        /// The logarithm of each row's sum, (B, T).
        case fused(lse: TensorSpecification)
    }

    /// The activations of one block. Where memory is lean, attproj and fcproj are the same in all blocks; a decoder keeps
    /// only keys and values apart.
    public struct Block: Sendable {
        /// Norm before attention (B, T, C), and its statistics (B, T).
        public let ln1, ln1_mean, ln1_rstd: TensorSpecification
        /// Query, key and value, (B, T, 3C).
        public let qkv: TensorSpecification
        /// What attention leaves for backward.
        public let attention: AttentionTensors
        /// Attention's output and its projection, (B, T, C).
        public let atty, attproj: TensorSpecification
        /// The residual stream after attention, (B, T, C).
        public let residual2: TensorSpecification
        /// Norm before the perceptron (B, T, C), and its statistics (B, T).
        public let ln2, ln2_mean, ln2_rstd: TensorSpecification
        /// The hidden layer before and after GELU, (B, T, 4C).
        public let fch, fch_gelu: TensorSpecification
        /// The perceptron's output, (B, T, C).
        public let fcproj: TensorSpecification
        /// The residual stream after the block, (B, T, C).
        public let residual3: TensorSpecification
    }

    /// All tensors, in order of execution.
    public let tensors: TensorLayout
    /// Token plus position embedding, (B, T, C).
    public let encoded: TensorSpecification
    /// The blocks.
    public let h: [Block]
    /// The last norm (B, T, C), and its statistics (B, T).
    public let lnf, lnf_mean, lnf_rstd: TensorSpecification
    /// Scores of the next token, (B, T, Vp).
    public let logits: TensorSpecification
    /// What comes of them.
    public let classifier: ClassifierTensors
    /// The loss of each position, (B, T).
    public let losses: TensorSpecification

    /// The activations of a model of that configuration, on B sequences of T tokens.
    public init(_ configuration: Configuration, B: Int, T: Int, memory: ActivationMemory = .complete) {
        let (C, NH, Vp) = (configuration.channels, configuration.heads, configuration.paddedVocabularySize)
        var tensors = TensorLayout()
        encoded = tensors.append("encoded", [B, T, C])
        let shared = memory == .lean ? tensors.append("projection", [B, T, C]) : nil
        h = (0..<configuration.layers).map { l in
            func add(_ name: String, _ shape: Int...) -> TensorSpecification { tensors.append("h.\(l).\(name)", shape) }
            return Block(
                ln1: add("ln1", B, T, C), ln1_mean: add("ln1_mean", B, T), ln1_rstd: add("ln1_rstd", B, T),
                qkv: add("qkv", B, T, 3 * C),
                attention: memory == .lean
                    ? .fused(lse: add("att_lse", B, NH, T))
                    : .plain(preatt: add("preatt", B, NH, T, T), att: add("att", B, NH, T, T)),
                atty: add("atty", B, T, C), attproj: shared ?? add("attproj", B, T, C),
                residual2: add("residual2", B, T, C),
                ln2: add("ln2", B, T, C), ln2_mean: add("ln2_mean", B, T), ln2_rstd: add("ln2_rstd", B, T),
                fch: add("fch", B, T, 4 * C), fch_gelu: add("fch_gelu", B, T, 4 * C),
                fcproj: shared ?? add("fcproj", B, T, C),
                residual3: add("residual3", B, T, C))
        }
        lnf = tensors.append("lnf", [B, T, C])
        lnf_mean = tensors.append("lnf_mean", [B, T])
        lnf_rstd = tensors.append("lnf_rstd", [B, T])
        logits = tensors.append("logits", [B, T, Vp])
        classifier =
            memory == .lean
            ? .fused(lse: tensors.append("lse", [B, T])) : .plain(probs: tensors.append("probs", [B, T, Vp]))
        losses = tensors.append("losses", [B, T])
        self.tensors = tensors
    }

    /// The stream that enters block l: the encoding, or what the block before left.
    func residual(entering l: Int) -> TensorSpecification { l == 0 ? encoded : h[l - 1].residual3 }
}
