import Platform

extension BenchmarkReport {
    /// The outcome in a few words: how many kernels are right, and how the first contestant fares against each other.
    public var headline: String {
        if let gateHeadline { return gateHeadline }
        let wrong = rows.filter { $0.timings.first?.isWrong ?? false }
        let failed = rows.filter { $0.timings.first?.seconds == nil && !($0.timings.first?.isWrong ?? false) }
        var parts: [String] = []
        if wrong.isEmpty && failed.isEmpty {
            let worst = rows.compactMap { $0.timings.first?.accuracy?.worst }.max() ?? 0
            parts.append(
                "\(Formatting.count(rows.count)) timings in \(Formatting.seconds(seconds)), every result within its bound "
                    + "(the worst at \(Formatting.number(worst)))")
        } else {
            if !wrong.isEmpty { parts.append("WRONG: \(Self.names(wrong))") }
            if !failed.isEmpty { parts.append("not timed: \(Self.names(failed))") }
        }
        return parts.joined(separator: "; ")
    }

    /// The outcome in lines of at most 80 columns.
    public var headlineLines: [String] { Self.wrapped(headline) }

    /// How the first contestant fares against each other, a line each.
    public var comparisonLines: [String] {
        contestants.indices.dropFirst().compactMap { index in
            let comparisons = rows.compactMap { $0.timings[index].comparison }
            guard !comparisons.isEmpty else { return nil }
            let speedups = comparisons.map { 1 / $0.ratio }.sorted()
            let counts = [SpeedVerdict.fast, .same, .slow, .unsure].map { verdict in
                (comparisons.count { $0.verdict == verdict }, verdict)
            }
            let words = [SpeedVerdict.fast: "faster", .same: "the same", .slow: "slower", .unsure: "undecided"]
            let text = counts.filter { $0.0 > 0 }.map { "\($0.0) \(words[$0.1] ?? "")" }.joined(separator: ", ")
            return "against \(contestants[index].name): \(text); speed-up \(Formatting.number(speedups[0])) to "
                + "\(Formatting.number(speedups[speedups.count - 1]))×, middle "
                + "\(Formatting.number(speedups[speedups.count / 2]))×"
        }
    }

    static func names(_ rows: [Row]) -> String {
        let names = rows.map { "\($0.kernel) (\($0.shape) \($0.place))" }
        return names.prefix(3).joined(separator: ", ") + (names.count > 3 ? " and \(names.count - 3) more" : "")
    }

    /// The rows of each shape and number of threads, in the report's order.
    var groups: [(shape: String, threads: Int, rows: [Row])] {
        rows.reduce(into: []) { groups, row in
            if let index = groups.firstIndex(where: { $0.shape == row.shape && $0.threads == row.threads }) {
                groups[index].rows.append(row)
            } else {
                groups.append((row.shape, row.threads, [row]))
            }
        }
    }

    /// The kernels, in tables for a terminal of 80 columns; the first line of each is the heading.
    public var kernelSections: [[String]] {
        // Three others fit.
        let others = Array(contestants.indices.dropFirst().prefix(3))
        return groups.map { group in
            let heading = "\(group.shape), \(Self.threads(group.threads))"
            let header =
                ["kernel", "place", "time", "limit", "error"] + others.map { "vs " + contestants[$0].name.prefix(9) }
            let table = Formatting.plain(
                [header]
                    + group.rows.map { row in
                        let first = row.timings[0]
                        return [
                            row.shortKernel, row.place, first.seconds.map(Formatting.seconds) ?? "-",
                            row.percentOfCeiling(first) ?? "-",
                            first.isWrong ? "WRONG" : first.accuracy.map { Formatting.number($0.worst) } ?? "-",
                        ] + others.map { row.timings[$0].speedupWord }
                    }, right: [2, 3, 4, 5, 6, 7])
            return [heading] + table
        }
    }

    /// The training steps, in tables for a terminal of 80 columns; the first line of each is the heading.
    public var stepSections: [[String]] {
        steps.map { step in
            let table = Formatting.plain(
                [["", "forward", "backward", "update", "step", "tokens/s", "memory", "speed-up"]]
                    + step.timed.map { name, times, comparison in
                        [
                            name, Formatting.seconds(times.forward), Formatting.seconds(times.backward),
                            Formatting.seconds(times.update), Formatting.seconds(times.total),
                            Formatting.whole(times.tokensPerSecond), Formatting.bytes(times.peakMemory),
                            comparison.map { "\(Formatting.number(1 / $0.ratio))×" } ?? "-",
                        ]
                    }, right: [1, 2, 3, 4, 5, 6, 7])
            var lines = ["Training step, \(step.shape), \(Self.threads(step.threads))"] + table
            lines += step.timings.compactMap { timing in timing.note.map { "\(timing.name): \($0)" } }
            if let first = step.timings.first, let times = first.times, !times.shares.isEmpty {
                let shares = times.shares.prefix(4).map { share in
                    "\(share.kernel) \(Formatting.percent(share.seconds / times.total))"
                }
                lines.append(
                    contentsOf: Self.wrapped(
                        "\(first.name): " + shares.joined(separator: ", ")
                            + ", no kernel \(Formatting.percent(times.remainder / times.total))"))
            }
            return lines
        }
    }

    /// What the machine can do, a line for each number of threads.
    public var ceilingLines: [String] {
        ceilings.map { ceiling in
            "\(Self.threads(ceiling.threads)): \(Formatting.number(ceiling.gflops)) GFLOP/s; "
                + ceiling.bandwidths.map { "\($0.level.rawValue) \(Formatting.number($0.best))" }
                .joined(separator: ", ") + " GB/s"
        }
    }

    /// Who was timed, where the name does not say it all, in lines of at most 80 columns.
    public var contestantLines: [String] {
        contestants.filter { $0.title != $0.name }.flatMap { Self.wrapped("\($0.name): \($0.title)") }
    }

    /// How well the run can tell times apart, in words.
    public var noiseText: String {
        guard noise.kernels > 0 else { return "" }
        return """
            Two processes of the same code were apart by up to \(Formatting.percent(noise.sameCode)) \
            (95th percentile of \(noise.kernels)); within \(Formatting.percent(noise.margin)) is the same. \
            A slowdown of \(Formatting.percent(noise.detectable)) would have been found at the middle kernel, \
            of \(Formatting.percent(noise.worstDetectable)) at every one.
            """
    }

    /// What was left out, in lines of at most 80 columns.
    public var limitLines: [String] { limits.flatMap { Self.wrapped("Left open: \($0).") } }

    /// The noise in lines of at most 80 columns.
    public var noiseLines: [String] { Self.wrapped(noiseText) }

    static func threads(_ count: Int) -> String { count == 1 ? "1 thread" : "\(count) threads" }

    /// A text in lines of at most 80 columns.
    public static func wrapped(_ text: String) -> [String] { Formatting.wrapped(text) }
}

extension BenchmarkReport.Row {
    /// The kernel's name in at most 24 characters.
    var shortKernel: String { "\(operation) \(shortPass)" }

    /// The pass in three letters.
    var shortPass: String { ["forward": "fwd", "backward": "bwd", "update": "upd"][pass] ?? pass }

    /// How near a timing comes to the machine's limit.
    func percentOfCeiling(_ timing: BenchmarkReport.Timing) -> String? {
        timing.seconds.map { Formatting.percent(ceilingSeconds / $0) }
    }

    /// 10^9 operations a second.
    func gflops(_ seconds: Double) -> Double { Double(operations) / seconds / 1e9 }

    /// 10^9 bytes a second.
    func gbps(_ seconds: Double) -> Double { Double(bytes) / seconds / 1e9 }
}

extension BenchmarkReport.Timing {
    /// The first contestant's speed-up over this one: `3.21×`, `~1.01×` where it is open or within the noise.
    var speedupWord: String {
        guard let comparison else {
            switch outcome {
            case .wrong: return "WRONG"
            case .untimed(.sameCode): return "same code"
            case .timed, .untimed: return "-"
            }
        }
        let isOpen = comparison.verdict == .same || comparison.verdict == .unsure
        return (isOpen ? "~" : "") + "\(Formatting.number(1 / comparison.ratio))×"
    }
}
