import GPT2

extension Configuration {
    /// The rows of wte for a vocabulary of that size: a multiple of 128, as in llm.c.
    public static func padded(_ vocabulary: Int) -> Int { (vocabulary + 127) / 128 * 128 }

    /// A configuration read from the file at `path`, if a model can have it.
    package init(
        checking path: String, blockSize: Int, vocabularySize: Int, paddedVocabularySize: Int, layers: Int, heads: Int,
        channels: Int
    ) throws(ModelFormatError) {
        self.init(
            blockSize: blockSize, vocabularySize: vocabularySize, paddedVocabularySize: paddedVocabularySize,
            layers: layers, heads: heads, channels: channels)
        if let problem { throw ModelFormatError(path, "\(problem); the file is damaged or not a GPT-2") }
    }

    /// Why no model can have these sizes; nil if one can.
    public var problem: String? {
        let sizes = [
            ("block size", blockSize), ("vocabulary", vocabularySize), ("padded vocabulary", paddedVocabularySize),
            ("number of layers", layers), ("number of heads", heads), ("number of channels", channels),
        ]
        for (name, size) in sizes where !(1...1 << 20).contains(size) {
            return "the \(name) is \(size), and must lie between 1 and 2^20"
        }
        if channels % heads != 0 { return "\(heads) heads do not divide \(channels) channels" }
        if vocabularySize > paddedVocabularySize {
            return "the vocabulary of \(vocabularySize) is above its padded size of \(paddedVocabularySize)"
        }
        return nil
    }

    /// The sizes in a few words.
    public var summary: String {
        "\(layers) layers, \(heads) heads, \(channels) channels, vocabulary \(vocabularySize)"
    }
}
