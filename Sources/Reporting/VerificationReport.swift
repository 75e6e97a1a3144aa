import Foundation
import Platform

/// What one run of `verify` found: the record from which every rendering is drawn.
public struct VerificationReport: Record {
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

    /// The cases whose sizes and inputs the harness chose itself.
    public struct Drawn: Codable, Sendable, Hashable {
        /// The calls whose results were compared.
        public let calls: Int
        /// What sizes and inputs were drawn from.
        public let seed: UInt64

        /// The record of so many calls.
        public init(calls: Int, seed: UInt64) { (self.calls, self.seed) = (calls, seed) }
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
    /// The drawn cases; nil where none was asked for.
    public var drawn: Drawn?
    /// The implementation that stood for each kernel, by `operation pass`.
    public var implementations: [String: String]
    /// The shared libraries that some of them are in.
    public var libraries: [Library]
    /// The run behind it.
    public let run: RunRecord
    /// Peak resident memory, in bytes.
    public var peakMemory: Int
    /// One row for each tensor compared, in order of execution.
    public var rows: [ComparisonRow]

    /// A report of `rows`.
    public init(
        verdict: Verdict, blamed: Blame?, fixtures: [Fixture], drawn: Drawn? = nil,
        implementations: [String: String], libraries: [Library] = [], machine: Machine,
        commit: String?, flags: [String], seconds: Double, peakMemory: Int, rows: [ComparisonRow]
    ) {
        self.verdict = verdict
        self.blamed = blamed
        compared = rows.count
        self.fixtures = fixtures
        self.drawn = drawn
        self.implementations = implementations
        self.libraries = libraries
        run = RunRecord(
            .verify, command: ["verify"] + flags, commit: commit, machine: machine, seconds: seconds,
            exitCode: verdict == .pass ? 0 : 1)
        self.peakMemory = peakMemory
        self.rows = rows
    }

    /// Adds to each failure the command that repeats it alone, where there is one.
    public mutating func addRepetitions(_ command: (ComparisonRow) -> String?) {
        for index in rows.indices where rows[index].verdict == .fail { rows[index].repetition = command(rows[index]) }
    }
}

/// The comparison of one tensor with the truth.
public struct ComparisonRow: Codable, Sendable {
    /// How the tensor came about.
    public enum Mode: String, Codable, Sendable, CaseIterable {
        /// The kernel was given the reference's inputs.
        case isolated
        /// The kernel was called at sizes of the harness's own choosing, on inputs that it drew.
        case drawn
        /// The model ran on its own outputs.
        case chained
        /// Steps of the optimizer from the fixture's start.
        case training

        /// Those that judge by fixtures.
        public static let ofFixtures: Set<Mode> = [.isolated, .chained, .training]

        /// Those that `verify` judges in unless it is told otherwise.
        public static let usual = Set(allCases)
    }

    /// Whether the tensor held.
    public enum Verdict: String, Codable, Sendable {
        /// Every element lies within its bound.
        case pass
        /// Some element does not.
        case fail
    }

    /// What a row is about.
    public struct Subject: Codable, Sendable, Hashable {
        /// The operation that wrote the tensor last; `model` for what no kernel writes.
        public let operation: String
        /// The implementation's name.
        public let implementation: String
        /// The operation's pass.
        public let pass: String
        /// How the tensor came about.
        public let mode: Mode
        /// Whether it belongs to a debug state of a whole model, not to a kernel case.
        public let isOfState: Bool
        /// The kernel case, or the fixture and place in the model, such as `tiny h.0` or `tiny step 3`.
        public let `case`: String
        /// The argument, activation, parameter or gradient.
        public let tensor: String

        /// A subject.
        public init(
            operation: String, implementation: String, pass: String, mode: Mode, isOfState: Bool, case: String,
            tensor: String
        ) {
            (self.operation, self.implementation, self.pass) = (operation, implementation, pass)
            (self.mode, self.isOfState, self.case, self.tensor) = (mode, isOfState, `case`, tensor)
        }
    }

    /// What was measured of a tensor.
    public struct Measure: Codable, Sendable {
        /// The number of elements compared.
        public let count: Int
        /// The largest error as a fraction of its bound. Infinite where a bound of 0 was missed, or NaN was met.
        @NonFinite public private(set) var worst: Double
        /// The bound of the worst element; in the chained and training modes, of the root mean square error.
        @NonFinite public private(set) var bound: Double
        /// The worst element, outermost index first.
        public let index: [Int]
        /// The truth there.
        @NonFinite public private(set) var expected: Double
        /// What the kernel computed there.
        @NonFinite public private(set) var actual: Double
        /// The error there in units in the last place of the float32 nearest to the truth.
        @NonFinite public private(set) var ulps: Double
        /// The root mean square error against the truth.
        @NonFinite public private(set) var rmse: Double
        /// That of PyTorch in float32; 0 where it made none, or was not asked.
        @NonFinite public private(set) var torchRMSE: Double
        /// The errors as fractions of the truth; nil where no element owes a digit.
        public let relative: RelativeErrors?

        /// Whether all lies within its bounds; not so where nothing was compared.
        public var holds: Bool { count > 0 && worst <= 1 }

        /// A measure.
        public init(
            count: Int, worst: Double, bound: Double, index: [Int], expected: Double, actual: Double, ulps: Double,
            rmse: Double, torchRMSE: Double, relative: RelativeErrors?
        ) {
            self.relative = relative
            (self.count, self.index) = (count, index)
            (self.worst, self.bound, self.expected, self.actual) = (worst, bound, expected, actual)
            (self.ulps, self.rmse, self.torchRMSE) = (ulps, rmse, torchRMSE)
        }

        /// The same as the worst of several, which have that many elements and those relative errors together.
        public func standing(for count: Int, relative: RelativeErrors?) -> Measure {
            Measure(
                count: count, worst: worst, bound: bound, index: index, expected: expected, actual: actual, ulps: ulps,
                rmse: rmse, torchRMSE: torchRMSE, relative: relative)
        }
    }

    /// How many digits of a tensor's elements are right.
    public struct RelativeErrors: Codable, Sendable {
        /// The elements that owe digits: whose bound is smaller than the truth.
        public let count: Int
        /// The elements of all that have no right digit: wrong by half of the truth or more, which a bound may allow.
        public let withoutDigits: Int
        /// The largest error as a fraction of the truth.
        @NonFinite public private(set) var worst: Double
        /// What half of the elements, and 99 in a hundred, do not exceed, up to a factor of 2.
        @NonFinite public private(set) var median: Double
        @NonFinite public private(set) var percentile99: Double

        /// Relative errors.
        public init(count: Int, withoutDigits: Int, worst: Double, median: Double, percentile99: Double) {
            (self.count, self.withoutDigits) = (count, withoutDigits)
            (self.worst, self.median, self.percentile99) = (worst, median, percentile99)
        }

        /// The right decimal digits of 99 in a hundred elements, at least.
        public var digits: Double { percentile99 > 0 ? max(-log10(percentile99), 0) : .infinity }
    }

    /// What the errors of a failed tensor have in common.
    public struct Explanation: Codable, Sendable {
        /// Which elements are wrong and what became of them, such as `every element, off by a constant factor 1.07`.
        public let pattern: String?
        /// Where the errors are.
        public let heat: HeatMap?

        /// An explanation.
        public init(pattern: String?, heat: HeatMap?) { (self.pattern, self.heat) = (pattern, heat) }
    }

    /// What the row is about.
    public let subject: Subject
    /// What was measured; nil where there was nothing to measure.
    public let measure: Measure?
    /// What else was found wrong, such as `input weight was changed`; nil if nothing.
    public let note: String?
    /// What was found wrong and the run allows; nil if nothing.
    public let allowed: String?
    /// What is worth knowing and not wrong, such as that a result's bits depend on the size of the batch; nil if nothing.
    public let remark: String?
    /// What the errors have in common; nil where the tensor holds, or is too large to look.
    public let explanation: Explanation?
    /// Whether a tensor failed though its kernel gave what the reference kernel gives on the same arguments: those are
    /// wrong then, and not the kernel.
    public let isWiring: Bool
    /// How many calls the row stands for: the worst of them is what was measured.
    public let calls: Int
    /// The command that repeats a failure alone; nil where the whole run is needed.
    public var repetition: String?
    /// The time of the kernel's trial or last call, shared among the tensors that it wrote, in seconds; nil where it was not
    /// taken.
    public let seconds: Double?
    /// Whether the tensor held: within its bounds, and nothing else found.
    public let verdict: Verdict

    /// A row.
    public init(
        _ subject: Subject, measure: Measure?, note: String? = nil, allowed: String? = nil, remark: String? = nil,
        explanation: Explanation? = nil,
        isWiring: Bool = false, calls: Int = 1, seconds: Double? = nil
    ) {
        (self.subject, self.measure, self.note) = (subject, measure, note)
        (self.allowed, self.remark) = (allowed, remark)
        self.calls = calls
        (self.explanation, self.isWiring, self.seconds) = (explanation, isWiring, seconds)
        verdict = note == nil && measure?.holds == true ? .pass : .fail
    }
}

extension ComparisonRow {
    /// What the row is about, see ``Subject``.
    public var operation: String { subject.operation }
    public var implementation: String { subject.implementation }
    public var pass: String { subject.pass }
    public var mode: Mode { subject.mode }
    public var isOfState: Bool { subject.isOfState }
    public var `case`: String { subject.case }
    public var tensor: String { subject.tensor }

    /// The largest error as a fraction of its bound; 0 where there was nothing to measure.
    public var worst: Double { measure?.worst ?? 0 }
}
