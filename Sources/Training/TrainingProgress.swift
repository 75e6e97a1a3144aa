import Tokenizer

/// How far a run has come: with the parameters and moments, all that it needs to go on.
public struct TrainingProgress: Sendable {
    /// What governs the run.
    public var settings: TrainingSettings
    /// Where its tokens come from.
    public var source: TrainingSource
    /// The steps made.
    public var step = 0
    /// The windows of the text taken.
    public var position = 0
    /// What was measured.
    public var history = TrainingHistory()

    /// A run that is about to begin.
    public init(settings: TrainingSettings, source: TrainingSource) {
        self.settings = settings
        self.source = source
    }
}

/// Where the tokens of a run come from, so that it can be resumed by name alone.
public struct TrainingSource: Codable, Sendable, Hashable {
    /// Texts: files and folders.
    public var text: [String]
    /// Token shards.
    public var shards: [String]
    /// The text or shard for the validation loss; nil for the last tenth of the others.
    public var validation: String?

    /// A source of texts or shards.
    public init(text: [String] = [], shards: [String] = [], validation: String? = nil) {
        self.text = text
        self.shards = shards
        self.validation = validation
    }

    /// The source in words.
    public var summary: String { (text + shards).joined(separator: ", ") }
}

/// What was measured in a run, step by step.
public struct TrainingHistory: Sendable, Equatable {
    /// The mean loss of each step's tokens, before the update.
    public var losses: [Double] = []
    /// The norm of each step's gradient, before clipping.
    public var gradientNorms: [Double] = []
    /// The steps after which the validation loss was measured, and what it was.
    public var validationSteps: [Int] = []
    public var validationLosses: [Double] = []

    /// A history of no steps.
    public init() {}
}
