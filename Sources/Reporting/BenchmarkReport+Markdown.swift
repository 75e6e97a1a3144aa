import Platform

extension BenchmarkReport {
    /// The report as Markdown: the verdict first, then kernels and steps with their drawings, then how it was measured and
    /// what was not.
    public var markdown: String {
        guard gate == nil else { return gateMarkdown(withDrawings: true) }
        var parts = ["# Benchmark", "**\(headline).**"]
        parts += [comparisonLines.map { "- \($0.prefix(1).uppercased() + $0.dropFirst())" }.joined(separator: "\n")]
        parts += [noiseText, "## The machine's limits", ceilingTable, ceilingNote]
        if !rows.isEmpty { parts.append("## Kernels") }
        parts += groups.flatMap { group in
            ["### \(group.shape), \(Self.threads(group.threads))", kernelTable(group.rows)]
        }
        if !rows.isEmpty { parts.append(tableNote) }
        parts += (rooflines() + forests()).compactMap(picture)
        if let scaling { parts += ["## Threads", scaling] }
        if !steps.isEmpty {
            parts.append("## Training step")
            for step in steps { parts += ["### \(step.shape), \(step.description)", stepTable(step)] }
            parts += waterfalls().compactMap(picture)
        }
        parts += ["## Method", method, "## What is left open"]
        parts.append((limits + standingLimits).map { "- \($0)." }.joined(separator: "\n"))
        parts += ["## Run", facts]
        return parts.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
    }

    // MARK: - Tables

    private var ceilingTable: String {
        let levels = ceilings.first?.bandwidths.map(\.level) ?? []
        return Formatting.markdown(
            ["threads", "multiply-add, GFLOP/s"] + levels.map { "\($0.rawValue), GB/s" },
            ceilings.map { ceiling in
                ["\(ceiling.threads)", Formatting.number(ceiling.gflops)]
                    + ceiling.bandwidths.map { bandwidth in
                        let holds = bandwidth.level == .memory ? "" : " of \(Formatting.bytes(bandwidth.bytes))"
                        let rates = [bandwidth.read, bandwidth.triad, bandwidth.update].map(Formatting.number)
                        return rates.joined(separator: " / ") + holds
                    }
            }, right: Set(0...levels.count + 1))
    }

    private var ceilingNote: String {
        var text = """
            Reached in this run, in loops that do nothing else: one that adds up what it reads / the triad a = b + 3·c / the \
            update a = a + 3·b, each of these two reckoned with 12 bytes an element, as STREAM does; where a store first \
            fetches its line, as in the triad, the memory moves a third more. Beside a cache's rates stands what these \
            threads have of it.
            """
        if let one = ceilings.first, let all = ceilings.last, all.threads > one.threads, all.gflops < 1.2 * one.gflops {
            text += """
                 On this machine \(all.threads) threads reach no more than \
                \(Formatting.number(all.gflops / one.gflops)) times what one does
                """
            // A cause is named only where the system knows of it.
            text +=
                machine.physicalCores.map { cores in
                    cores < all.threads
                        ? ": by the system's account they share \(cores == 1 ? "a core" : "\(cores) cores")."
                        : "; by the system's account no two share a core."
                } ?? "."
        }
        return text
    }

    func kernelTable(_ rows: [Row]) -> String {
        let others = Array(contestants.indices.dropFirst())
        return Formatting.markdown(
            ["kernel", "place", "sizes", "by", "time ± spread", "rate", "of limit", "bound by", "error"]
                + others.map { "over \(contestants[$0].name)" },
            rows.map { row in
                let first = row.timings[0]
                let time = first.times.map { "\(Formatting.seconds($0.seconds)) ± \(Formatting.seconds($0.spread))" }
                let error = first.accuracy.map { Formatting.number($0.worst) }
                let cells = [
                    row.kernel, row.place, row.sizes, first.implementation, time ?? first.reason ?? "–",
                    first.seconds.map(row.rate) ?? "–", row.percentOfCeiling(first) ?? "–", row.boundBy.rawValue,
                    first.isWrong ? "**wrong**" : error ?? "–",
                ]
                return cells + others.map { Self.comparison(row.timings[$0]) }
            }, right: [4, 5, 6, 8])
    }

    /// The first contestant's speed-up over another, and how right that is.
    private static func comparison(_ timing: Timing) -> String {
        guard let comparison = timing.comparison else { return timing.reason ?? "–" }
        let error = timing.accuracy.map { ", error \(Formatting.number($0.worst))" } ?? ""
        return "\(interval(comparison)) \(comparison.verdict.rawValue)\(error)"
    }

    private var tableNote: String {
        """
        *Time*: the median of a call with its interquartile range. *Of limit*: the time that the machine's limits allow, \
        over the time taken; *bound by* names the one that takes most of it. *Error*: the \
        largest error as a fraction of its bound, what rounding explains, after the timing and on the same inputs; above 1 \
        is wrong, and then there is no time. *Over*: how many times faster than that contestant, with the 95 % interval of \
        the pairs.
        """
    }

    private var scaling: String? {
        guard let one = ceilings.first?.threads, let all = ceilings.last?.threads, one < all else { return nil }
        let lines = rows.filter { $0.threads == one }.compactMap { row -> [String]? in
            guard
                let more = rows.first(where: {
                    $0.threads == all && $0.kernel == row.kernel && $0.shape == row.shape && $0.place == row.place
                }), let a = row.timings[0].seconds, let b = more.timings[0].seconds
            else { return nil }
            return [
                row.kernel, row.shape, row.place, Formatting.seconds(a), Formatting.seconds(b),
                "\(Formatting.number(a / b))×",
            ]
        }
        guard !lines.isEmpty else { return nil }
        return "<details><summary>How much faster each kernel is on \(all) threads than on \(one)</summary>\n\n"
            + Formatting.markdown(
                ["kernel", "shape", "place", "\(one)", "\(all)", "speed-up"], lines, right: [3, 4, 5])
            + "\n\n</details>"
    }

    private func stepTable(_ step: TimedStep) -> String {
        Formatting.markdown(
            [
                "by", "forward", "backward", "update", "step ± spread", "tokens/s", "peak memory", "steps",
                "\(contestants[0].name) is faster by",
            ],
            step.timings.map { timing in
                guard let times = timing.times else {
                    return [timing.name, timing.note ?? "–"] + [String](repeating: "", count: 7)
                }
                return [
                    timing.name, Formatting.seconds(times.forward), Formatting.seconds(times.backward),
                    Formatting.seconds(times.update),
                    "\(Formatting.seconds(times.total)) ± \(Formatting.seconds(times.spread))",
                    Formatting.whole(times.tokensPerSecond), Formatting.bytes(times.peakMemory),
                    "\(times.samples)", timing.comparison.map(Self.interval) ?? "–",
                ]
            }, right: [1, 2, 3, 4, 5, 6, 7])
    }

    // MARK: - Words

    var method: String {
        """
        <details><summary>How it was measured, and how it was decided</summary>

        Each contestant is a process that lives as long as the run and answers over a pipe. Two at a time make the same call \
        in turn, A B B A, in blocks of 0.3 ms, but at least two calls, after one that does not count; a call of more than 5 ms \
        is a block by itself. The four times give one logarithm of a ratio: ½ (ln A₁/B₁ + ln A₂/B₂), in which drift and order \
        cancel. The speed-up is the median over these quartets; its 95 % interval comes from 2,000 bootstrap resamples of \
        quartets; of fewer than six, from Student's t of the logarithms.

        How far two processes of the same code are apart is measured at every kernel in the same run; the 95th percentile, \
        but at least 2 %, is the margin d. SLOW: the whole interval is above 1 + d, and a sign test (of fewer than twelve \
        pairs, a t-test), with Holm's correction for the number of kernels and Bonferroni's for the looks, says so at 5 %. \
        FAST: the whole interval is below 1/(1 + d). SAME: inside. Otherwise more pairs are taken, in at most three looks, \
        then it is UNSURE. A call of milliseconds gets at least six pairs, one of a tenth of a second two.

        After the timing each contestant makes the call once more, from NaN or from what its gradients started with, and \
        its results are compared with the reference's in float64 on the same inputs, within the bound of the operation's \
        contract. A contestant that is wrong has no time.

        Operations and bytes are what the mathematics asks for, every argument moved once. The limit of a call is the \
        longer of two times: that of its operations at the multiply-add peak, and that of its bytes. Of all its data as many \
        bytes as the first-level caches of its threads hold come from there, of the rest as many as the second level holds \
        from that, and so on; what no cache holds comes from memory. Each level has its bandwidth, by what \
        becomes of the bytes: read, overwritten, or changed in place. The caches' sizes are the system's word.

        </details>
        """
    }

    var standingLimits: [String] {
        [
            "Inputs are made up: normal magnitudes, no denormals; a kernel whose time depends on its data may differ",
            "One machine on one day: compare ratios, not times",
        ]
    }

    var facts: String {
        """
        \(runLines.joined(separator: "\n"))
        - Contestants: \(contestants.map { "\($0.name) (\($0.title))" }.joined(separator: ", "))
        - \(run.date), \(Formatting.seconds(seconds))
        """
    }
}

extension BenchmarkReport.Row {
    /// The rate that the limit is about.
    func rate(_ seconds: Double) -> String {
        boundBy == .compute
            ? "\(Formatting.number(gflops(seconds))) GFLOP/s" : "\(Formatting.number(gbps(seconds))) GB/s"
    }
}
