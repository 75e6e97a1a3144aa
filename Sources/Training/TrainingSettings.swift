import Kernels

/// What governs a training run, and stays the same when it is resumed.
public struct TrainingSettings: Codable, Sendable, Hashable {
    /// B, the sequences of a micro-batch.
    public var batch: Int
    /// T, the tokens of a sequence.
    public var sequence: Int
    /// The micro-batches whose gradients make up one step.
    public var accumulation: Int
    /// The learning rate of each step, and how many steps there are.
    public var schedule: LearningRateSchedule
    /// AdamW's decay of the moments.
    public var beta1, beta2: Float
    /// The decoupled weight decay of matrices and embeddings.
    public var weightDecay: Float
    /// The largest norm of the gradient; 0 for no limit.
    public var clip: Double
    /// Where the parameters, the order of the data and the samples begin.
    public var seed: UInt64
    /// Whether each epoch takes the windows of the text in a new random order.
    public var isShuffled: Bool
    /// The steps between two measurements of the validation loss, two samples, two saves; 0 for none.
    public var validateEvery, sampleEvery, saveEvery: Int
    /// The most batches of a measurement of the validation loss.
    public var validationBatches: Int

    /// Settings of nanoGPT's kind; the intervals follow from the number of steps.
    public init(batch: Int, sequence: Int, accumulation: Int = 1, schedule: LearningRateSchedule, seed: UInt64 = 1) {
        self.batch = batch
        self.sequence = sequence
        self.accumulation = accumulation
        self.schedule = schedule
        beta1 = 0.9
        beta2 = 0.95
        weightDecay = 0.1
        clip = 1
        self.seed = seed
        isShuffled = true
        let tenth = max(schedule.steps / 10, 1)
        validateEvery = tenth
        sampleEvery = tenth
        saveEvery = tenth
        validationBatches = 20
    }

    /// AdamW's numbers for step `t`, from 1.
    func hyperparameters(at t: Int) -> AdamW.Hyperparameters {
        AdamW.Hyperparameters(
            learningRate: Float(schedule.rate(at: t)), beta1: beta1, beta2: beta2, eps: 1e-8, weightDecay: weightDecay)
    }

    /// The tokens of one step.
    public var tokensPerStep: Int { batch * sequence * accumulation }
}
