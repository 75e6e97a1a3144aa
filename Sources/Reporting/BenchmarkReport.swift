/// What one run of `bench` measured: the record from which every rendering is drawn.
public struct BenchmarkReport: Codable, Sendable {
    /// The machine's limits, measured in the same run.
    public struct Ceilings: Codable, Sendable {
        /// Fused multiply-adds from registers, in GFLOP/s.
        public var gflops: Double
        /// The triad a = b + s·c on arrays beyond the caches, in GB/s.
        public var gbps: Double

        /// Limits.
        public init(gflops: Double, gbps: Double) {
            self.gflops = gflops
            self.gbps = gbps
        }
    }

    /// One kernel, timed in pairs: the implementation, and beside it the base.
    public struct Row: Codable, Sendable {
        /// The operation and its pass.
        public var operation, pass: String
        /// The place in the model, such as `fch`, and the sizes, such as `B 1 T 64 C 768`.
        public var shape, sizes: String
        /// The implementation, and what it is compared with; nil where there is no other.
        public var implementation: String
        public var base: String?
        /// The median time of a call, and the interquartile range, in seconds.
        public var seconds, spread: Double
        /// The base's median time, in seconds.
        public var baseSeconds: Double?
        /// How many times faster than the base: the median of the pairs' ratios, with its 95 % interval.
        public var speedup, speedupLow, speedupHigh: Double?
        /// The number of pairs, or of samples where there is no base.
        public var pairs: Int
        /// Operations and bytes moved per time.
        public var gflops, gbps: Double
        /// The time as a fraction of what the ceilings allow, and which of them bounds it.
        public var roofline: Double
        public var boundBy: String
        /// The largest difference from the base's results, relative to their largest magnitude.
        public var difference: Double?

        /// A row.
        public init(
            operation: String, pass: String, shape: String, sizes: String, implementation: String, base: String?,
            seconds: Double, spread: Double, baseSeconds: Double?, speedup: Double?, speedupLow: Double?,
            speedupHigh: Double?, pairs: Int, gflops: Double, gbps: Double, roofline: Double, boundBy: String,
            difference: Double?
        ) {
            self.operation = operation
            self.pass = pass
            self.shape = shape
            self.sizes = sizes
            self.implementation = implementation
            self.base = base
            self.seconds = seconds
            self.spread = spread
            self.baseSeconds = baseSeconds
            self.speedup = speedup
            self.speedupLow = speedupLow
            self.speedupHigh = speedupHigh
            self.pairs = pairs
            self.gflops = gflops
            self.gbps = gbps
            self.roofline = roofline
            self.boundBy = boundBy
            self.difference = difference
        }
    }

    /// One training step of a whole model.
    public struct Step: Codable, Sendable {
        /// The model and batch in words.
        public var model: String
        /// The kernel set.
        public var implementation: String
        /// Medians, in seconds.
        public var forward, backward, update: Double
        /// Tokens of the batch per second of all three.
        public var tokensPerSecond: Double
        /// The steps timed.
        public var samples: Int

        /// A step.
        public init(
            model: String, implementation: String, forward: Double, backward: Double, update: Double,
            tokensPerSecond: Double, samples: Int
        ) {
            self.model = model
            self.implementation = implementation
            self.forward = forward
            self.backward = backward
            self.update = update
            self.tokensPerSecond = tokensPerSecond
            self.samples = samples
        }
    }

    /// The machine's limits.
    public var ceilings: Ceilings
    /// The kernels.
    public var rows: [Row]
    /// Training steps.
    public var steps: [Step]
    /// The 95th percentile of the speed-up of a kernel over itself, less 1: smaller differences are noise.
    public var noise: Double
    /// Where it ran.
    public var machine: Machine
    /// The commit of the sources, with `+` behind it where they were changed; nil outside a checkout.
    public var commit: String?
    /// The flags given.
    public var flags: [String]
    /// Wall time, in seconds.
    public var seconds: Double

    /// A report.
    public init(
        ceilings: Ceilings, rows: [Row], steps: [Step], noise: Double, machine: Machine, commit: String?,
        flags: [String], seconds: Double
    ) {
        self.ceilings = ceilings
        self.rows = rows
        self.steps = steps
        self.noise = noise
        self.machine = machine
        self.commit = commit
        self.flags = flags
        self.seconds = seconds
    }
}
