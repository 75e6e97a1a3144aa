import Platform

/// What a training run did.
public struct TrainingReport: Record {
    /// How the run stands.
    public enum Ending: String, Codable, Sendable {
        /// It goes on.
        case running
        /// It was stopped, and can be resumed.
        case interrupted
        /// All steps are made.
        case finished
    }

    /// One step.
    public struct Step: Codable, Sendable, Hashable {
        /// Its number, from 1.
        public var step: Int
        /// The mean loss of its tokens, the norm of its gradient, and its learning rate.
        public var loss, gradientNorm, learningRate: Double

        /// A step.
        public init(step: Int, loss: Double, gradientNorm: Double, learningRate: Double) {
            self.step = step
            self.loss = loss
            self.gradientNorm = gradientNorm
            self.learningRate = learningRate
        }
    }

    /// The loss on the validation tokens after a step.
    public struct Validation: Codable, Sendable, Hashable {
        /// The step, and the loss after it.
        public var step: Int
        public var loss: Double

        /// A measurement.
        public init(step: Int, loss: Double) {
            self.step = step
            self.loss = loss
        }
    }

    /// What the model wrote after a step.
    public struct TextSample: Codable, Sendable, Hashable {
        /// The step, and the text.
        public var step: Int
        public var text: String

        /// A sample.
        public init(step: Int, text: String) {
            self.step = step
            self.text = text
        }
    }

    /// A line of the settings.
    public struct Setting: Codable, Sendable, Hashable {
        /// What it is, and its value in words.
        public var name, value: String

        /// A setting.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// How the run stands.
    public var ending: Ending
    /// The steps of the whole run, and those made.
    public var plannedSteps: Int
    public var steps: [Step]
    /// The validation losses.
    public var validations: [Validation]
    /// What the model wrote, in this part of the run.
    public var samples: [TextSample]
    /// Model, text and numbers.
    public var settings: [Setting]
    /// The median speed of this part of the run; 0 before the first step.
    public var tokensPerSecond: Double
    /// The largest resident memory, in bytes.
    public var peakMemory: Int
    /// The checkpoint.
    public var checkpoint: String
    /// The run behind it, or this part of it.
    public let run: RunRecord

    /// A report.
    public init(
        ending: Ending, plannedSteps: Int, steps: [Step], validations: [Validation], samples: [TextSample],
        settings: [Setting], tokensPerSecond: Double, peakMemory: Int, checkpoint: String, machine: Machine,
        commit: String?, flags: [String], seconds: Double
    ) {
        self.ending = ending
        self.plannedSteps = plannedSteps
        self.steps = steps
        self.validations = validations
        self.samples = samples
        self.settings = settings
        self.tokensPerSecond = tokensPerSecond
        self.peakMemory = peakMemory
        self.checkpoint = checkpoint
        run = RunRecord(
            .train, command: ["train"] + flags, commit: commit, machine: machine, seconds: seconds,
            exitCode: ending == .finished ? 0 : nil)
    }

    /// The outcome in one line.
    public var headline: String {
        var line = "\(ending.rawValue): \(Formatting.count(steps.count))"
        if steps.count < plannedSteps { line += " of \(Formatting.count(plannedSteps))" }
        line += " steps"
        if let first = steps.first, let last = steps.last {
            line += ", loss \(Formatting.number(first.loss)) to \(Formatting.number(last.loss))"
        }
        if let validation = validations.last { line += ", validation \(Formatting.number(validation.loss))" }
        return line
    }
}
