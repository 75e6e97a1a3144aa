import Platform

/// What a test of the harness itself found: whether every planted fault was caught and rightly blamed, and whether a
/// right kernel was ever called wrong.
public struct SelfTestReport: Codable, Sendable {
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

    /// The faults, in order of the catalogue.
    public let faults: [PlantedFault]
    /// The number of right variants tried.
    public let variants: Int
    /// Those that were called wrong.
    public let falseAlarms: [FalseAlarm]
    /// The seed of the variants.
    public let seed: UInt64
    /// Where it ran.
    public let machine: Machine
    /// The commit of the sources, with `+` behind it where they were changed; nil outside a checkout.
    public let commit: String?
    /// Wall time, in seconds.
    public let seconds: Double

    /// A report of `faults` and of `variants` right kernels.
    public init(
        faults: [PlantedFault], variants: Int, falseAlarms: [FalseAlarm], seed: UInt64, machine: Machine,
        commit: String?,
        seconds: Double
    ) {
        self.faults = faults
        self.variants = variants
        self.falseAlarms = falseAlarms
        self.seed = seed
        self.machine = machine
        self.commit = commit
        self.seconds = seconds
    }

    /// Whether every fault was caught and rightly blamed, without a false alarm.
    public var holds: Bool { faults.allSatisfy(\.isBlamed) && falseAlarms.isEmpty && !faults.isEmpty && variants > 0 }
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
            "false alarms           \(falseAlarms.count) of \(Formatting.count(variants)) right variants",
        ]
        for fault in faults where !fault.isBlamed {
            lines.append("  \(fault.origin): \(fault.name): \(fault.blamed.map { "blamed \($0)" } ?? "not caught")")
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
        return
            ([
                "# Self-test of the harness", "**\(headline)**", lines.map { "    " + $0 }.joined(separator: "\n"),
                "Faults are planted in kernels that are right otherwise, and in the wiring of the model; each must be "
                    + "caught, and blamed on its kernel and pass, or on the wiring. Right variants differ in the order of "
                    + "sums, in fused multiply-adds, in equivalent formulas and in threads; none may be called wrong.",
                "## By kernel", summary, "## Every fault",
            ] + details + [
                "## Run",
                "- Seed of the variants: \(seed)\n- Commit: \(commit.map { "`\($0)`" } ?? "unknown")\n"
                    + "- Machine: \(machine.summary)",
            ]).joined(separator: "\n\n") + "\n"
    }
}
