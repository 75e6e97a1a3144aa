/// A shape that no model has: which, and what can be.
public struct ShapeError: Error, CustomStringConvertible, Sendable {
    public let description: String
}

/// A model and a batch, as `--shapes` names them: `124M:4x64`, or `odd`.
public struct ModelShape: Sendable {
    /// The name, as in the flag.
    public let name: String
    /// The model's sizes.
    public let configuration: Configuration
    /// B and T.
    public let batch, sequence: Int

    /// The shape of that name.
    ///
    /// - Throws: ``ShapeError`` when there is none.
    public init(_ name: String) throws(ShapeError) {
        self.name = name
        guard name != "odd" else {
            // Sizes that no block, tile or vector divides.
            configuration = Configuration(
                blockSize: 127, vocabularySize: 5003, paddedVocabularySize: 5011, layers: 1, heads: 3, channels: 771)
            (batch, sequence) = (3, 37)
            return
        }
        let parts = name.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let numbers = (parts.last ?? "").split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let model = Configuration.named.first(where: { $0.name == parts[0] }),
            numbers.count == 2, let batch = numbers[0], let sequence = numbers[1], (1...64).contains(batch),
            (1...model.configuration.blockSize).contains(sequence)
        else {
            let models = Configuration.named.map(\.name).joined(separator: ", ")
            throw ShapeError(
                description: "--shapes: cannot read '\(name)'; write odd, or a model (\(models)), a batch of 1 to 64 "
                    + "and a sequence that the model can hold, such as 124M:4x64")
        }
        configuration = model.configuration
        (self.batch, self.sequence) = (batch, sequence)
    }
}
