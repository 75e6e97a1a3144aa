import Platform

/// What one run of `verify` found: the record from which every rendering is drawn.
public struct VerificationReport: Codable, Sendable {
    /// Whether everything held.
    public enum Verdict: String, Codable, Sendable {
        /// All comparisons held, and the manifest was closed.
        case pass
        /// Something did not hold.
        case fail
    }

    /// What is to blame for a failure.
    public struct Blame: Codable, Sendable, Hashable {
        /// The operation of the first kernel that failed isolated; nil where only the wiring can be wrong.
        public let operation: String?
        /// Its pass.
        public let pass: String?
        /// The first tensor that failed.
        public let tensor: String
        /// One sentence for a person.
        public let explanation: String

        /// A blame of `operation` and `pass`, or of the wiring if nil.
        public init(operation: String?, pass: String?, tensor: String, explanation: String) {
            self.operation = operation
            self.pass = pass
            self.tensor = tensor
            self.explanation = explanation
        }
    }

    /// A fixture that was read.
    public struct Fixture: Codable, Sendable, Hashable {
        /// The path as given.
        public let path: String
        /// The SHA-256 of the file's content, all but the seal at its start, in hexadecimal.
        public let sha256: String
        /// The tensors that its manifest lists as results to compare.
        public let listed: Int
        /// How many of them were compared.
        public let compared: Int
        /// Those that the kernel set does not materialise, or that the chosen modes and operations leave out.
        public let leftOut: Int

        /// The record of one fixture.
        public init(path: String, sha256: String, listed: Int, compared: Int, leftOut: Int) {
            self.path = path
            self.sha256 = sha256
            self.listed = listed
            self.compared = compared
            self.leftOut = leftOut
        }
    }

    /// A shared library that kernels came from.
    public struct Library: Codable, Sendable, Hashable {
        /// The name that stands for it in the rows.
        public let name: String
        /// The path as given.
        public let path: String
        /// The kernels that it has, as `operation pass`.
        public let provided: [String]
        /// Those that it could have and has not.
        public let missing: [String]

        /// The record of one library.
        public init(name: String, path: String, provided: [String], missing: [String]) {
            self.name = name
            self.path = path
            self.provided = provided
            self.missing = missing
        }
    }

    /// The outcome.
    public var verdict: Verdict
    /// What is to blame, when the verdict is fail.
    public var blamed: Blame?
    /// The number of tensor comparisons made.
    public var compared: Int
    /// The fixtures read.
    public var fixtures: [Fixture]
    /// The implementation that stood for each kernel, by `operation pass`.
    public var implementations: [String: String]
    /// The shared libraries that some of them are in.
    public var libraries: [Library]
    /// Where it ran.
    public var machine: Machine
    /// The commit of the sources, with `+` behind it where they were changed; nil outside a checkout.
    public var commit: String?
    /// The flags given.
    public var flags: [String]
    /// Wall time, in seconds.
    public var seconds: Double
    /// Peak resident memory, in bytes.
    public var peakMemory: Int
    /// One row for each tensor compared, in order of execution.
    public var rows: [ComparisonRow]

    /// A report of `rows`.
    public init(
        verdict: Verdict, blamed: Blame?, fixtures: [Fixture],
        implementations: [String: String], libraries: [Library] = [], machine: Machine,
        commit: String?, flags: [String], seconds: Double, peakMemory: Int, rows: [ComparisonRow]
    ) {
        self.verdict = verdict
        self.blamed = blamed
        compared = rows.count
        self.fixtures = fixtures
        self.implementations = implementations
        self.libraries = libraries
        self.machine = machine
        self.commit = commit
        self.flags = flags
        self.seconds = seconds
        self.peakMemory = peakMemory
        self.rows = rows
    }
}

/// The comparison of one tensor with the truth.
public struct ComparisonRow: Codable, Sendable {
    /// How the tensor came about.
    public enum Mode: String, Codable, Sendable, CaseIterable {
        /// The kernel was given the reference's inputs.
        case isolated
        /// The model ran on its own outputs.
        case chained
        /// Steps of the optimizer from the fixture's start.
        case training
    }

    /// Whether the tensor held.
    public enum Verdict: String, Codable, Sendable {
        /// Every element lies within its bound.
        case pass
        /// Some element does not.
        case fail
    }

    /// The operation that wrote the tensor last; `model` for what no kernel writes.
    public var operation: String
    /// The implementation's name.
    public var implementation: String
    /// The operation's pass.
    public var pass: String
    /// How the tensor came about.
    public var mode: Mode
    /// Whether it belongs to a debug state of a whole model, not to a kernel case.
    public var isOfState: Bool
    /// The kernel case, or the fixture and place in the model, such as `tiny h.0` or `tiny step 3`.
    public var `case`: String
    /// The argument, activation, parameter or gradient.
    public var tensor: String
    /// The number of elements compared.
    public var count: Int
    /// The largest error as a fraction of its bound. Infinite where a bound of 0 was missed, or NaN was met.
    @NonFinite public var worst: Double
    /// The bound of the worst element; in the chained and training modes, of the root mean square error.
    @NonFinite public var bound: Double
    /// The worst element, outermost index first; empty where the row speaks of a root mean square.
    public var index: [Int]
    /// The truth there.
    @NonFinite public var expected: Double
    /// What the kernel computed there.
    @NonFinite public var actual: Double
    /// The error there in units in the last place of the float32 nearest to the truth.
    @NonFinite public var ulps: Double
    /// The root mean square error against the truth.
    @NonFinite public var rmse: Double
    /// That of PyTorch in float32.
    @NonFinite public var torch_rmse: Double
    /// Whether the tensor held.
    public var verdict: Verdict
    /// What else was found wrong, such as `input weight was changed`; nil if nothing.
    public var note: String?
    /// Whether a tensor failed though its kernel gave what the reference kernel gives on the same arguments: those are
    /// wrong then, and not the kernel.
    public var isWiring = false
    /// Which elements are wrong and what became of them, such as `every element, off by a constant factor 1.07`; nil
    /// where nothing is wrong.
    public var pattern: String?
    /// Where the errors are; nil where nothing is wrong.
    public var heat: HeatMap?

    /// A row.
    public init(
        operation: String, implementation: String, pass: String, mode: Mode, isOfState: Bool, case: String,
        tensor: String, count: Int, worst: Double, bound: Double, index: [Int], expected: Double, actual: Double,
        ulps: Double, rmse: Double, torch_rmse: Double, verdict: Verdict, note: String? = nil
    ) {
        self.operation = operation
        self.implementation = implementation
        self.pass = pass
        self.mode = mode
        self.isOfState = isOfState
        self.case = `case`
        self.tensor = tensor
        self.count = count
        self.worst = worst
        self.bound = bound
        self.index = index
        self.expected = expected
        self.actual = actual
        self.ulps = ulps
        self.rmse = rmse
        self.torch_rmse = torch_rmse
        self.verdict = verdict
        self.note = note
    }
}
