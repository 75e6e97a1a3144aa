/// The sizes of a GPT-2.
///
/// Source: Radford et al. 2019, Language Models are Unsupervised Multitask Learners, table 2.
public struct Configuration: Sendable, Hashable {
    /// The longest sequence, `block_size`; the rows of wpe.
    public var blockSize: Int
    /// V, the number of tokens.
    public var vocabularySize: Int
    /// Vp ≥ V, the rows of wte; those beyond V are 0 and stay so.
    public var paddedVocabularySize: Int
    /// L, `n_layer`.
    public var layers: Int
    /// NH, `n_head`.
    public var heads: Int
    /// C, `n_embd`, a multiple of the heads.
    public var channels: Int

    /// A model of the given sizes.
    public init(
        blockSize: Int, vocabularySize: Int, paddedVocabularySize: Int, layers: Int, heads: Int, channels: Int
    ) {
        self.blockSize = blockSize
        self.vocabularySize = vocabularySize
        self.paddedVocabularySize = paddedVocabularySize
        self.layers = layers
        self.heads = heads
        self.channels = channels
    }

    /// A model for tests: bytes as tokens, sizes that are no multiple of a SIMD width.
    public static let tiny = Configuration(
        blockSize: 32, vocabularySize: 257, paddedVocabularySize: 264, layers: 2, heads: 3, channels: 15)

    /// GPT-2 of 12 layers, 124 million parameters.
    public static let d12 = gpt2(layers: 12, heads: 12, channels: 768)
    /// GPT-2 medium, 355 million parameters.
    public static let d24 = gpt2(layers: 24, heads: 16, channels: 1024)
    /// GPT-2 large, 774 million parameters.
    public static let d36 = gpt2(layers: 36, heads: 20, channels: 1280)
    /// GPT-2 XL, 1558 million parameters.
    public static let d48 = gpt2(layers: 48, heads: 25, channels: 1600)

    /// The published models by their names in flags.
    public static let named: [(name: String, configuration: Configuration)] = [
        ("tiny", .tiny), ("124M", .d12), ("355M", .d24), ("774M", .d36), ("1558M", .d48),
    ]

    private static func gpt2(layers: Int, heads: Int, channels: Int) -> Configuration {
        Configuration(
            blockSize: 1024, vocabularySize: 50257, paddedVocabularySize: 50304, layers: layers, heads: heads,
            channels: channels)
    }
}
