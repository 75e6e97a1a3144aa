import Platform

/// What one run of `bench` or `bench gate` measured: the record from which every rendering is drawn.
public struct BenchmarkReport: Record {
    public typealias Kind = RunRecord.Kind

    /// The version of this record's form.
    public static let currentSchema = RunRecord.Kind.bench.schema

    /// The run behind it.
    public private(set) var run: RunRecord
    /// Whether it is a benchmark or the report of a gate.
    public var kind: Kind { run.kind }
    /// Who was timed; the first is the one that the report is about.
    public var contestants: [Contestant]
    /// The machine's limits, for each number of threads.
    public var ceilings: [MachineCeilings]
    /// The kernels.
    public var rows: [Row]
    /// Training steps.
    public var steps: [TimedStep]
    /// How well this run can tell two times apart.
    public var noise: Noise
    /// What the gate found; nil for a benchmark.
    public var gate: GateOutcome? {
        didSet { run.exitCode = holds ? 0 : 1 }
    }
    /// What was not measured, and why.
    public var limits: [String]

    /// A report.
    public init(
        kind: Kind, contestants: [Contestant], ceilings: [MachineCeilings], rows: [Row], steps: [TimedStep],
        noise: Noise,
        limits: [String], machine: Machine, commit: String?, date: String, command: [String], seconds: Double
    ) {
        run = RunRecord(
            kind, command: command, commit: commit, machine: machine, seconds: seconds, exitCode: nil, date: date)
        self.contestants = contestants
        self.ceilings = ceilings
        self.rows = rows
        self.steps = steps
        self.noise = noise
        self.limits = limits
        run.exitCode = holds ? 0 : 1
    }

    /// Whether the first contestant computed everything right; of a gate, whether it found nothing.
    public var holds: Bool { gate?.findings.isEmpty ?? rows.allSatisfy { $0.timings.first?.times != nil } }
}

extension BenchmarkReport {
    /// One of those who were timed.
    public struct Contestant: Codable, Sendable {
        /// The short name, such as `fast`.
        public var name: String
        /// What it calls itself, such as `PyTorch 2.15.0`.
        public var title: String

        /// A contestant.
        public init(name: String, title: String) {
            self.name = name
            self.title = title
        }
    }

    /// The machine's limits with some number of threads, measured in the run.
    public struct MachineCeilings: Codable, Sendable {
        /// How fast data comes from a level of the memory, and goes there.
        public struct Bandwidth: Codable, Sendable {
            /// The level.
            public var level: Bound
            /// What these threads have of a cache; of memory, the bytes over which it was measured.
            public var bytes: Int
            /// Bytes read, in 10^9 a second, in a loop that writes none.
            public var read: Double
            /// Bytes moved by the triad a = b + s·c, in 10^9 a second: 12 an element, as STREAM counts.
            public var triad: Double
            /// Bytes moved by the update a = a + s·b, in 10^9 a second: 12 an element.
            public var update: Double

            /// The fastest of them.
            var best: Double { max(read, triad, update) }

            /// A bandwidth.
            public init(level: Bound, bytes: Int, read: Double, triad: Double, update: Double) {
                (self.level, self.bytes) = (level, bytes)
                (self.read, self.triad, self.update) = (read, triad, update)
            }
        }

        /// The threads.
        public var threads: Int
        /// Fused multiply-adds on registers, in 10^9 operations a second.
        public var gflops: Double
        /// Of each level, the nearest first; memory is the last.
        public var bandwidths: [Bandwidth]

        /// Limits.
        public init(threads: Int, gflops: Double, bandwidths: [Bandwidth]) {
            self.threads = threads
            self.gflops = gflops
            self.bandwidths = bandwidths
        }
    }

    /// How right a contestant's results were, on the inputs that it was timed with.
    public struct Accuracy: Codable, Sendable {
        /// The largest error as a fraction of its bound; above 1 is wrong.
        @NonFinite public var worst: Double
        /// The root mean square of the errors as fractions of their bounds.
        @NonFinite public var typical: Double
        /// The root mean square error.
        @NonFinite public var rmse: Double
        /// The elements compared, of how many.
        public var compared, of: Int
        /// The worst element, where it is wrong.
        public var finding: String?

        /// Whether every element compared lies within its bound.
        public var isRight: Bool { worst <= 1 }

        /// An accuracy.
        public init(worst: Double, typical: Double, rmse: Double, compared: Int, of: Int, finding: String?) {
            self.worst = worst
            self.typical = typical
            self.rmse = rmse
            self.compared = compared
            self.of = of
            self.finding = finding
        }
    }

    /// What a ratio of times says, given the noise of the run.
    public enum SpeedVerdict: String, Codable, Sendable {
        /// Slower by more than noise explains.
        case slow = "SLOW"
        /// Faster by more than noise explains.
        case fast = "FAST"
        /// The difference, if any, lies within the noise.
        case same = "SAME"
        /// The pairs do not tell.
        case unsure = "UNSURE"
    }

    /// The first contestant's time beside another's, in pairs.
    public struct Comparison: Codable, Sendable {
        /// The first's time over the other's: the median over the pairs, with its 95 % interval.
        public var ratio, low, high: Double
        /// The pairs: quartets A B B A.
        public var pairs: Int
        /// How often more pairs were taken.
        public var looks: Int
        /// What the ratio says.
        public var verdict: SpeedVerdict
        /// The chance of so many slower pairs were there no difference beyond the noise; adjusted for the number of kernels.
        public var p: Double

        /// A comparison.
        public init(
            ratio: Double, low: Double, high: Double, pairs: Int, looks: Int, verdict: SpeedVerdict, p: Double
        ) {
            self.ratio = ratio
            self.low = low
            self.high = high
            self.pairs = pairs
            self.looks = looks
            self.verdict = verdict
            self.p = p
        }
    }

    /// The times of one contestant's calls.
    public struct Times: Codable, Sendable {
        /// The median of a call and the interquartile range, in seconds.
        public let seconds, spread: Double
        /// The blocks timed.
        public let samples: Int

        /// Times.
        public init(seconds: Double, spread: Double, samples: Int) {
            (self.seconds, self.spread, self.samples) = (seconds, spread, samples)
        }
    }

    /// One contestant on one kernel.
    public struct Timing: Codable, Sendable {
        /// Why there is no time, though nothing is known to be wrong.
        public enum Untimed: Codable, Sendable {
            /// It is the very code of the first contestant.
            case sameCode
            /// It has no such kernel, or would take too long.
            case leftOut(String)
            /// It ended.
            case failed(String)

            // The language names what has no label _0, _1 and so on.
            // swift-format-ignore: NoLeadingUnderscores
            private enum LeftOutCodingKeys: String, CodingKey { case _0 = "reason" }
            // swift-format-ignore: NoLeadingUnderscores
            private enum FailedCodingKeys: String, CodingKey { case _0 = "reason" }
        }

        /// What came of it.
        public enum Outcome: Codable, Sendable {
            /// It was timed and is right: how right, and the first contestant's time over this one's; of the first itself,
            /// over a second process of its own.
            case timed(Times, Accuracy, Comparison?)
            /// It computes something else, and so has no time.
            case wrong(Accuracy)
            /// It was not timed.
            case untimed(Untimed)

            // swift-format-ignore: NoLeadingUnderscores
            private enum TimedCodingKeys: String, CodingKey {
                case _0 = "times"
                case _1 = "accuracy"
                case _2 = "comparison"
            }
            // swift-format-ignore: NoLeadingUnderscores
            private enum WrongCodingKeys: String, CodingKey { case _0 = "accuracy" }
            // swift-format-ignore: NoLeadingUnderscores
            private enum UntimedCodingKeys: String, CodingKey { case _0 = "reason" }
        }

        /// Who, and the implementation that it has of the kernel.
        public let name, implementation: String
        /// What came of it.
        public let outcome: Outcome

        /// A timing.
        public init(name: String, implementation: String, outcome: Outcome) {
            (self.name, self.implementation, self.outcome) = (name, implementation, outcome)
        }

        /// The times; nil if there are none.
        public var times: Times? {
            switch outcome {
            case .timed(let times, _, _): times
            case .wrong, .untimed: nil
            }
        }

        /// The median time of a call, in seconds; nil if there is none.
        public var seconds: Double? { times?.seconds }

        /// The first contestant's time over this one's; nil where they were not compared.
        public var comparison: Comparison? {
            if case .timed(_, _, let comparison) = outcome { comparison } else { nil }
        }

        /// How right it was; nil where it was not asked.
        public var accuracy: Accuracy? {
            switch outcome {
            case .timed(_, let accuracy, _), .wrong(let accuracy): accuracy
            case .untimed: nil
            }
        }

        /// Whether it computes something wrong.
        public var isWrong: Bool { if case .wrong = outcome { true } else { false } }

        /// Why there is no time, in words; nil where there is one.
        public var reason: String? {
            switch outcome {
            case .timed: nil
            case .wrong(let accuracy): "wrong: \(accuracy.finding ?? "its largest error is beyond its bound")"
            case .untimed(.sameCode): "the same code"
            case .untimed(.leftOut(let reason)), .untimed(.failed(let reason)): reason
            }
        }

        /// Why it was left out of the run; nil where it was timed, is wrong, or need not be timed.
        public var omission: String? {
            switch outcome {
            case .untimed(.leftOut(let reason)), .untimed(.failed(let reason)): reason
            case .timed, .wrong, .untimed(.sameCode): nil
            }
        }
    }

    /// One kernel at one shape on some threads.
    public struct Row: Codable, Sendable {
        /// The operation and its pass.
        public var operation, pass: String
        /// The shape asked for, such as `124M:4x64`, and the place in the model, such as `fch`.
        public var shape, place: String
        /// The sizes in words, such as `B 4, T 64, C 768`.
        public var sizes: String
        /// The threads.
        public var threads: Int
        /// What the mathematics asks for: operations, bytes moved; and the bytes of all arguments.
        public var operations, bytes, footprint: Int
        /// The time that the machine's limits allow, in seconds, and which of them.
        public var ceilingSeconds: Double
        public var boundBy: Bound
        /// The contestants, in the report's order.
        public var timings: [Timing]

        /// A row.
        public init(
            operation: String, pass: String, shape: String, place: String, sizes: String, threads: Int,
            operations: Int, bytes: Int, footprint: Int, ceiling: (seconds: Double, bound: Bound), timings: [Timing]
        ) {
            self.operation = operation
            self.pass = pass
            self.shape = shape
            self.place = place
            self.sizes = sizes
            self.threads = threads
            self.operations = operations
            self.bytes = bytes
            self.footprint = footprint
            (ceilingSeconds, boundBy) = ceiling
            self.timings = timings
        }

        /// The kernel's name.
        public var kernel: String { "\(operation) \(pass)" }
    }

    /// Which of the machine's limits a kernel meets first.
    public enum Bound: String, Codable, Sendable {
        /// Arithmetic.
        case compute
        /// Bandwidth of a level of the caches.
        case l1 = "L1"
        case l2 = "L2"
        case l3 = "L3"
        /// Bandwidth of memory.
        case memory
    }

    /// The times of one contestant's training steps.
    public struct StepTimes: Codable, Sendable {
        /// The time spent in one kernel in a step, in seconds.
        public struct Share: Codable, Sendable {
            /// The kernel.
            public let kernel: String
            /// The median over steps.
            public let seconds: Double

            /// A share.
            public init(kernel: String, seconds: Double) { (self.kernel, self.seconds) = (kernel, seconds) }
        }

        /// Medians over the steps, in seconds.
        public let forward, backward, update, total: Double
        /// The interquartile range of the total.
        public let spread: Double
        /// Tokens of the batch per second.
        public let tokensPerSecond: Double
        /// The most memory that the process used, in bytes.
        public let peakMemory: Int
        /// The steps timed.
        public let samples: Int
        /// Where the time went, where the contestant can tell; the longest first.
        public let shares: [Share]

        /// The time that no kernel explains.
        public var remainder: Double { total - shares.reduce(0) { $0 + $1.seconds } }

        /// Times.
        public init(
            forward: Double, backward: Double, update: Double, total: Double, spread: Double, tokensPerSecond: Double,
            peakMemory: Int, samples: Int, shares: [Share]
        ) {
            (self.forward, self.backward, self.update, self.total) = (forward, backward, update, total)
            (self.spread, self.tokensPerSecond, self.peakMemory) = (spread, tokensPerSecond, peakMemory)
            (self.samples, self.shares) = (samples, shares)
        }
    }

    /// One contestant's training step.
    public struct StepTiming: Codable, Sendable {
        /// Who.
        public let name: String
        /// What is to be said of it, such as why there is no time.
        public let note: String?
        /// The times; nil if there are none.
        public let times: StepTimes?
        /// The first contestant's time over this one's; nil for the first itself.
        public let comparison: Comparison?

        /// A timing.
        public init(name: String, note: String?, times: StepTimes?, comparison: Comparison?) {
            (self.name, self.note, self.times, self.comparison) = (name, note, times, comparison)
        }
    }

    /// One training step of a whole model.
    public struct TimedStep: Codable, Sendable {
        /// The shape asked for, such as `124M:4x64`.
        public var shape: String
        /// The model and batch in words.
        public var description: String
        /// The threads.
        public var threads: Int
        /// The contestants, in the report's order.
        public var timings: [StepTiming]

        /// Those that were timed.
        var timed: [(name: String, times: StepTimes, comparison: Comparison?)] {
            timings.compactMap { timing in timing.times.map { (timing.name, $0, timing.comparison) } }
        }

        /// A step.
        public init(shape: String, description: String, threads: Int, timings: [StepTiming]) {
            self.shape = shape
            self.description = description
            self.threads = threads
            self.timings = timings
        }
    }

    /// What a gate found.
    public struct GateOutcome: Codable, Sendable {
        /// Something that keeps a change from being merged.
        public struct Finding: Codable, Sendable {
            /// The kinds, the gravest first.
            public enum Kind: String, Codable, Sendable, CaseIterable {
                /// It computes something else, or ends.
                case wrong = "WRONG"
                /// It computes the same with larger errors.
                case inaccurate = "LESS ACCURATE"
                /// It takes longer.
                case slow = "SLOW"
            }

            /// What is the matter.
            public var kind: Kind
            /// With which kernel, and where, such as `gelu forward (124M:1x64 hidden, 1 thread)`.
            public var kernel: String
            /// In numbers.
            public var text: String

            /// A finding.
            public init(kind: Kind, kernel: String, text: String) {
                self.kind = kind
                self.kernel = kernel
                self.text = text
            }
        }

        /// The commits compared; a head with `+` is the working tree.
        public var base, head: String
        /// What keeps the change from being merged; nothing if empty.
        public var findings: [Finding]
        /// Remarks on what does not, such as a loss of accuracy that was accepted.
        public var remarks: [String]

        /// What a gate found.
        public init(base: String, head: String, findings: [Finding], remarks: [String]) {
            self.base = base
            self.head = head
            self.findings = findings
            self.remarks = remarks
        }
    }

    /// How well a run can tell two times apart.
    public struct Noise: Codable, Sendable {
        /// The margin d: SLOW is above 1 + d, FAST below 1/(1 + d).
        public var margin: Double
        /// The 95th percentile of how far two processes of the same code were apart, and how many kernels said so.
        public var sameCode: Double
        public var kernels: Int
        /// The smallest slowdown that would have been called SLOW: of the middle kernel, and of the worst.
        @NonFinite public var detectable: Double
        @NonFinite public var worstDetectable: Double

        /// A noise.
        public init(
            margin: Double, sameCode: Double, kernels: Int, detectable: Double, worstDetectable: Double
        ) {
            self.margin = margin
            self.sameCode = sameCode
            self.kernels = kernels
            self.detectable = detectable
            self.worstDetectable = worstDetectable
        }
    }
}
