import Foundation
import Platform

/// What a test of the harness itself found: whether every planted fault was caught and rightly blamed, and whether a
/// right kernel was ever called wrong.
public struct SelfTestReport: Record {
    /// A planted fault and what became of it.
    public struct PlantedFault: Codable, Sendable, Hashable {
        /// What is wrong, in words.
        public let name: String
        /// What must be blamed: a kernel, or `wiring`.
        public let origin: String
        /// What was blamed: a kernel, `wiring`, or nil where nothing was found.
        public let blamed: String?
        /// What was found first, in words.
        public let finding: String?

        /// A fault of `origin`, and what was blamed for it.
        public init(name: String, origin: String, blamed: String?, finding: String?) {
            self.name = name
            self.origin = origin
            self.blamed = blamed
            self.finding = finding
        }

        /// Whether the fault was noticed.
        public var isCaught: Bool { blamed != nil }
        /// Whether the right kernel was blamed.
        public var isBlamed: Bool { blamed == origin }
    }

    /// A right kernel that was called wrong.
    public struct FalseAlarm: Codable, Sendable, Hashable {
        /// The kernel, and the choices that it was made with.
        public let kernel, choices: String
        /// What was found, in words.
        public let finding: String

        /// An alarm over a right `kernel`.
        public init(kernel: String, choices: String, finding: String) {
            self.kernel = kernel
            self.choices = choices
            self.finding = finding
        }
    }

    /// How close right variants came to the bound of a result.
    public struct Tightness: Codable, Sendable, Hashable {
        /// The kernel, and its result.
        public let kernel, result: String
        /// The largest error that any made, as a fraction of its bound.
        @NonFinite public private(set) var fraction: Double
        /// Of which element, and of which case.
        public let index: [Int]
        public let `case`: String
        /// The choices of the variant that made it.
        public let choices: String
        /// What the element should be, and what it was.
        @NonFinite public private(set) var expected: Double
        @NonFinite public private(set) var actual: Double

        /// The largest error of a result.
        public init(
            kernel: String, result: String, fraction: Double, index: [Int], case: String, choices: String,
            expected: Double, actual: Double
        ) {
            (self.kernel, self.result, self.fraction, self.index) = (kernel, result, fraction, index)
            (self.case, self.choices, self.expected, self.actual) = (`case`, choices, expected, actual)
        }

        /// Whether it is no larger than its bound.
        public var isWithin: Bool { fraction <= 1 }
    }

    /// How surely an error of some size at a random place is found.
    public struct Detection: Codable, Sendable, Hashable {
        /// What is wrong, in words.
        public let what: String
        /// How far it is off, relative.
        public let error: Double
        /// How many were tried, and how many of them found.
        public let tried, caught: Int
        /// The least probability that there is to be; nil where any will do.
        public let required: Double?
        /// The probability with which such an error is found is at least this, with 95 % confidence.
        public let probability: Double

        /// What was found of an error.
        public init(what: String, error: Double, tried: Int, caught: Int, required: Double?) {
            (self.what, self.error, self.tried, self.caught) = (what, error, tried, caught)
            self.required = required
            probability = Binomial.lowest(caught, of: tried)
        }

        /// Whether it is found as surely as it should be.
        public var isSure: Bool { tried > 0 && probability >= required ?? 0 }
    }

    /// The faults, in order of the catalogue.
    public let faults: [PlantedFault]
    /// The number of right variants tried.
    public let variants: Int
    /// The number of those tried at drawn sizes.
    public let drawnVariants: Int
    /// The number of models run on right variants alone.
    public let models: Int
    /// Those that were called wrong.
    public let falseAlarms: [FalseAlarm]
    /// The right variants of each kernel that were searched for the largest error.
    public let searched: Int
    /// What the search found for each result of each kernel.
    public let tightness: [Tightness]
    /// How surely small errors in a large result are found.
    public let detection: [Detection]
    /// The seed of the variants.
    public let seed: UInt64
    /// The run behind it.
    public private(set) var run: RunRecord

    /// A report of `faults`, of `variants` right kernels and `models` of such, of a search of bounds, and of small errors.
    public init(
        faults: [PlantedFault], variants: Int, drawnVariants: Int, models: Int, falseAlarms: [FalseAlarm],
        searched: Int, tightness: [Tightness], detection: [Detection], seed: UInt64, machine: Machine,
        commit: String?, flags: [String] = [], seconds: Double
    ) {
        (self.faults, self.variants, self.models, self.falseAlarms) = (faults, variants, models, falseAlarms)
        (self.searched, self.tightness, self.detection) = (searched, tightness, detection)
        self.drawnVariants = drawnVariants
        self.seed = seed
        run = RunRecord(
            .selftest, command: ["verify", "selftest"] + flags, commit: commit, machine: machine, seconds: seconds,
            exitCode: nil)
        run.exitCode = holds ? 0 : 1
    }

    /// Whether every fault was caught and rightly blamed, without a false alarm, and no bound was passed.
    public var holds: Bool {
        faults.allSatisfy(\.isBlamed) && falseAlarms.isEmpty && tightness.allSatisfy(\.isWithin)
            && detection.allSatisfy(\.isSure) && !faults.isEmpty && !tightness.isEmpty && !detection.isEmpty
            && variants > 0 && drawnVariants > 0
    }
}

extension SelfTestReport.Detection {
    /// The least probability, in percent.
    fileprivate var share: String { "\(Formatting.number(100 * probability)) %" }
}

extension SelfTestReport {
    /// The outcome in lines for a terminal of 80 columns.
    public var lines: [String] {
        let caught = faults.count(where: \.isCaught)
        let blamed = faults.count(where: \.isBlamed)
        func share(_ part: Int) -> String {
            "\(Formatting.count(part)) of \(Formatting.count(faults.count)) "
                + "(\(Formatting.number(100 * Double(part) / Double(max(faults.count, 1)))) %)"
        }
        var lines = [
            "planted faults caught  \(share(caught))",
            "rightly blamed         \(share(blamed))",
            "false alarms           \(falseAlarms.count) of \(Formatting.count(variants)) right variants, "
                + "\(Formatting.count(drawnVariants)) at drawn sizes,",
            "                       and \(models) models of such",
        ]
        // Written so that NaN is the largest.
        if let most = tightness.max(by: { !($1.fraction <= $0.fraction) }) {
            lines.append(
                "nearest to its bound   \(Formatting.number(most.fraction)), \(most.kernel) \(most.result), of "
                    + "\(Formatting.count(searched)) variants each")
        }
        for tile in detection {
            lines.append(
                "a tile off by \(Formatting.number(tile.error))".padding(toLength: 23, withPad: " ", startingAt: 0)
                    + "found \(Formatting.count(tile.caught)) times of \(Formatting.count(tile.tried)), so in at least "
                    + "\(tile.share)\(tile.isSure ? "" : " ✗")")
        }
        for fault in faults where !fault.isBlamed {
            lines.append("  \(fault.origin): \(fault.name): \(fault.blamed.map { "blamed \($0)" } ?? "not caught")")
        }
        for passed in tightness where !passed.isWithin {
            lines.append(
                "  \(passed.kernel): \(passed.result)\(Formatting.index(passed.index)) is off by "
                    + "\(Formatting.number(passed.fraction)) of its bound: \(passed.choices); \(passed.case)")
        }
        for alarm in falseAlarms { lines.append("  \(alarm.kernel) (\(alarm.choices)): \(alarm.finding)") }
        return lines
    }

    /// The verdict in one line.
    public var headline: String {
        "\(holds ? "PASS" : "FAIL"): the harness \(holds ? "can" : "cannot") be trusted, "
            + "tried in \(Formatting.seconds(seconds))"
    }

    /// The report as Markdown.
    public var markdown: String {
        var kernels: [String] = []
        for fault in faults where !kernels.contains(fault.origin) { kernels.append(fault.origin) }
        let summary = Formatting.markdown(
            ["where", "faults", "caught", "rightly blamed"],
            kernels.map { kernel in
                let own = faults.filter { $0.origin == kernel }
                return [
                    kernel, Formatting.count(own.count), Formatting.count(own.count(where: \.isCaught)),
                    Formatting.count(own.count(where: \.isBlamed)),
                ]
            }, right: [1, 2, 3])
        let details = kernels.map { kernel in
            let own = faults.filter { $0.origin == kernel }
            let table = Formatting.markdown(
                ["fault", "what was found", ""],
                own.map { [$0.name, $0.finding ?? "nothing", $0.isBlamed ? "✓" : "✗ \($0.blamed ?? "missed")"] })
            return "<details><summary>\(kernel): \(own.count) faults</summary>\n\n\(table)\n\n</details>"
        }
        let bounds = Formatting.markdown(
            ["kernel", "result", "of its bound", "element", "case", "variant"],
            tightness.map {
                [
                    $0.kernel, "`\($0.result)`", Formatting.number($0.fraction) + ($0.isWithin ? "" : " ✗"),
                    Formatting.index($0.index), $0.case, $0.choices,
                ]
            }, right: [2])
        return
            ([
                "# Self-test of the harness", "**\(headline)**", lines.map { "    " + $0 }.joined(separator: "\n"),
                "Faults are planted in kernels that are right otherwise, and in the wiring of the model; each must be "
                    + "caught, and blamed on its kernel and pass, or on the wiring. Right variants differ in the order of "
                    + "sums, in fused multiply-adds, in equivalent formulas and in threads; none may be called wrong.",
                "## By kernel", summary, "## Bounds",
                "The largest error that any of \(Formatting.count(searched)) right variants of a kernel made, as a "
                    + "fraction of its bound: over the fixtures' cases, drawn ones, and hard ones, whose numbers cancel, are "
                    + "all alike, rise, or lie a little above powers of 2. Above 1 the variant or the bound is wrong.",
                bounds, "## Small errors",
                "The right answer with a part of it scaled, at a place that is drawn anew each time, and judged as a drawn "
                    + "case is. The last column is the least probability of being found, with 95 % confidence (Clopper "
                    + "and Pearson).",
                Formatting.markdown(
                    ["what is wrong", "relative error", "tried", "found", "at least"],
                    detection.map {
                        [
                            $0.what, Formatting.number($0.error), Formatting.count($0.tried),
                            Formatting.count($0.caught), $0.share + ($0.isSure ? "" : " ✗"),
                        ]
                    }, right: [1, 2, 3, 4]),
                "## Every fault",
            ] + details + [
                "## Run",
                (["- Seed of the variants: \(seed)"] + runLines).joined(separator: "\n"),
            ]).joined(separator: "\n\n") + "\n"
    }
}
