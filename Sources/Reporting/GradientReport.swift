import Platform

/// What a check of gradients against central differences found.
public struct GradientReport: Record {
    /// What a gradient was held against.
    public enum Method: String, Codable, Sendable {
        /// The reference in double, element by element, against differences of its forward in double.
        case reference = "reference in double"
        /// A backward in float32, element by element, against those same differences.
        case doubleDifferences = "differences in double"
        /// A backward in float32, along random directions, against differences of its own forward in float32.
        case ownForward = "own forward"
    }

    /// One gradient of one kernel, over all shapes.
    public struct Derivative: Codable, Sendable {
        /// The operation and pass.
        public let kernel: String
        /// The gradient, such as `dinp`.
        public let argument: String
        /// What it was held against.
        public let method: Method
        /// The implementation's name.
        public let implementation: String
        /// The elements or directions compared.
        public private(set) var count = 0
        /// The largest error as a fraction of its bound, and there: which element, the bound, the derivative, the answer.
        @NonFinite public private(set) var worst = 0.0
        public private(set) var index = 0
        @NonFinite public private(set) var bound = 0.0
        @NonFinite public private(set) var expected = 0.0
        @NonFinite public private(set) var actual = 0.0

        /// Whether all lies within its bounds; not so where nothing was compared.
        public var holds: Bool { count > 0 && worst <= 1 }

        /// A row with nothing compared yet.
        public init(kernel: String, argument: String, method: Method, implementation: String) {
            self.kernel = kernel
            self.argument = argument
            self.method = method
            self.implementation = implementation
        }

        /// Compares an element or direction.
        public mutating func add(_ index: Int, _ actual: Double, _ expected: Double, _ bound: Double) {
            let error = abs(actual - expected)
            // A bound of 0 asks for the derivative itself; NaN is never within a bound.
            let ratio = error == 0 ? 0 : error / bound
            let fraction = ratio.isNaN ? .infinity : ratio
            if count == 0 || fraction > worst {
                (worst, self.index, self.bound, self.expected, self.actual) = (fraction, index, bound, expected, actual)
            }
            count += 1
        }

        /// Whether the other is of the same kernel, gradient and method.
        public func isAlike(_ other: Derivative) -> Bool {
            kernel == other.kernel && argument == other.argument && method == other.method
        }

        /// Takes in what was compared at another shape.
        public mutating func merge(_ other: Derivative) {
            let total = count + other.count
            if other.worst > worst { self = other }
            count = total
        }
    }

    /// One row for each gradient and method.
    public let rows: [Derivative]
    /// What inputs and cotangents were drawn from.
    public let seed: UInt64
    /// The run behind it.
    public let run: RunRecord

    /// A report of `rows`.
    public init(rows: [Derivative], seed: UInt64, machine: Machine, commit: String?, flags: [String], seconds: Double) {
        self.rows = rows
        self.seed = seed
        run = RunRecord(
            .gradcheck, command: ["verify"] + flags, commit: commit, machine: machine, seconds: seconds,
            exitCode: Self.holds(rows) ? 0 : 1)
    }

    /// Whether every gradient lies within its bounds.
    public var holds: Bool { Self.holds(rows) }

    private static func holds(_ rows: [Derivative]) -> Bool { !rows.isEmpty && rows.allSatisfy(\.holds) }
}

extension GradientReport {
    /// The table in lines for a terminal of 80 columns; the first is the heading.
    public var lines: [String] {
        Formatting.plain(
            [["kernel", "gradient", "by", "against", "count", "worst", ""]]
                + rows.map { row in
                    [
                        row.kernel, row.argument, String(row.implementation.prefix(9)), Self.short(row.method),
                        String(row.count), Formatting.number(row.worst), row.holds ? "ok" : "FAIL",
                    ]
                }, right: [4, 5])
    }

    private static func short(_ method: Method) -> String {
        switch method {
        case .reference: "double"
        case .doubleDifferences: "double"
        case .ownForward: "own fwd"
        }
    }

    /// What failed, in words.
    public var failureLines: [String] {
        rows.filter { !$0.holds }.flatMap { row in
            [
                "\(row.kernel) (\(row.implementation)), \(row.argument), \(row.method.rawValue):",
                "    \(row.method == .ownForward ? "direction" : "element") \(row.index): the derivative is "
                    + "\(Formatting.exact(row.expected)), got \(Formatting.exact(row.actual)),",
                "    error \(Formatting.number(row.worst)) of its bound",
            ]
        }
    }

    /// The verdict in one line.
    public var headline: String {
        let failed = rows.count { !$0.holds }
        let count = Formatting.count(rows.reduce(0) { $0 + $1.count })
        let worst = Formatting.number(rows.map(\.worst).max() ?? 0)
        return (failed == 0 ? "PASS: " : "FAIL: \(failed) of ") + "\(rows.count) gradients, \(count) derivatives in "
            + "\(Formatting.seconds(seconds)), worst at \(worst) of its bound"
    }

    /// The report as Markdown.
    public var markdown: String {
        let table = Formatting.markdown(
            ["kernel", "gradient", "by", "against", "compared", "worst of bound", "bound there", ""],
            rows.map { row in
                [
                    row.kernel, "`\(row.argument)`", row.implementation, row.method.rawValue,
                    Formatting.count(row.count), Formatting.number(row.worst), Formatting.number(row.bound),
                    row.holds ? "✓" : "✗",
                ]
            }, right: [4, 5, 6])
        let failures = failureLines.isEmpty ? [] : ["```\n" + failureLines.joined(separator: "\n") + "\n```"]
        return
            ([
                "# Gradient check", "**\(headline)**",
            ] + failures + [
                table,
                "*Reference in double*: the reference's backward against central differences of its forward, both in "
                    + "double. *Differences in double*: the float32 backward against those same differences. *Own "
                    + "forward*: ⟨gradient, v⟩ against differences of the set's own float32 forward along random v. "
                    + "Bounds follow from the step and from rounding.",
                (["- Seed: \(seed)"] + runLines).joined(separator: "\n"),
            ]).joined(separator: "\n\n") + "\n"
    }
}
