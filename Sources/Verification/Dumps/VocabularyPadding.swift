import GPT2

/// Where the elements of a tensor lie for a program that does not pad the vocabulary.
struct VocabularyPadding {
    /// The shape without the padding.
    let shape: [Int]
    private let padded, kept: Int
    private let isLastAxis: Bool

    /// The padding of the result at `path`; nil for one that no axis of the vocabulary is part of.
    init?(_ path: String, _ shape: [Int], _ configuration: Configuration) {
        let (V, Vp) = (configuration.vocabularySize, configuration.paddedVocabularySize)
        switch path {
        case "activations/logits", "activations/probs", "gradients/dlogits":
            self.shape = shape.dropLast() + [V]
            (padded, kept, isLastAxis) = (Vp, V, true)
        case "gradients/dtransformer.wte.weight":
            self.shape = [V] + shape.dropFirst()
            (padded, kept, isLastAxis) = (Vp * shape[1], V * shape[1], false)
        default: return nil
        }
    }

    /// The place, without padding, of the element at the flat `index` with it; nil for padding.
    func index(_ index: Int) -> Int? {
        let (row, column) = isLastAxis ? (index / padded, index % padded) : (0, index)
        return column < kept ? row * kept + column : nil
    }
}
