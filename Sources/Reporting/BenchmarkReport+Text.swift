extension BenchmarkReport {
    /// The outcome in one line.
    public var headline: String {
        let speedups = rows.compactMap(\.speedup).sorted()
        let range =
            speedups.isEmpty
            ? ""
            : ", \(Formatting.number(speedups[0])) to \(Formatting.number(speedups[speedups.count - 1])) times the base's speed"
        return "\(rows.count) kernels timed in \(Formatting.seconds(seconds))\(range)"
    }

    /// The kernels, in lines for a terminal of 80 columns; the first is the heading.
    public var rowLines: [String] {
        Formatting.plain(
            [["kernel", "shape", "by", "time", "rate", "roof", "speed-up"]]
                + rows.map { row in
                    [
                        "\(row.operation) \(row.pass)", row.shape, row.implementation, Formatting.seconds(row.seconds),
                        row.rate, row.percentOfRoof, row.speedup.map { "\(Formatting.number($0))×" } ?? "-",
                    ]
                }, right: [3, 4, 5, 6])
    }

    /// The training steps, in lines for a terminal of 80 columns; the first is the heading.
    public var stepLines: [String] {
        Formatting.plain(
            [["training step", "forward", "backward", "update", "tokens/s"]]
                + steps.map { step in
                    [
                        step.implementation, Formatting.seconds(step.forward), Formatting.seconds(step.backward),
                        Formatting.seconds(step.update), Formatting.number(step.tokensPerSecond),
                    ]
                }, right: [1, 2, 3, 4])
    }

    /// The report as Markdown.
    public var markdown: String {
        let kernels = Formatting.markdown(
            [
                "kernel", "shape", "sizes", "by", "time ± spread", "rate", "of roofline", "bound by", "speed-up [95 %]",
                "over", "difference",
            ],
            rows.map { row in
                [
                    "\(row.operation) \(row.pass)", row.shape, row.sizes, row.implementation,
                    "\(Formatting.seconds(row.seconds)) ± \(Formatting.seconds(row.spread))", row.rate,
                    row.percentOfRoof,
                    row.boundBy, row.speedupText, row.base ?? "–", row.difference.map { Formatting.number($0) } ?? "–",
                ]
            }, right: [4, 5, 6, 8, 10])
        let training = Formatting.markdown(
            ["kernels", "model", "forward", "backward", "update", "tokens/s", "steps"],
            steps.map { step in
                [
                    step.implementation, step.model, Formatting.seconds(step.forward),
                    Formatting.seconds(step.backward),
                    Formatting.seconds(step.update), Formatting.number(step.tokensPerSecond), String(step.samples),
                ]
            }, right: [2, 3, 4, 5, 6])
        let command = (["bench"] + flags).joined(separator: " ")
        return """
            # Benchmark

            **\(headline)**

            Ceilings measured in this run: \(Formatting.number(ceilings.gflops)) GFLOP/s of fused multiply-adds, \
            \(Formatting.number(ceilings.gbps)) GB/s of memory.

            ## Kernels

            \(kernels)

            ## Training step

            \(training)

            ## Method

            Implementation and base are timed in turn, A B B A, in one process; the speed-up is the median of the pairs' \
            ratios, with a 95 % interval from a bootstrap over pairs. *Time* is the median of a call with the \
            interquartile range. *Of roofline* is the time that the ceilings allow, the greater of operations and bytes, \
            over the time taken; the bytes are those of the arguments, each once, so a kernel whose data stay in the \
            caches can exceed 100 %. *Difference* is the largest deviation from the base's results, relative to their \
            largest magnitude, on the inputs that were timed. A kernel without another implementation has no speed-up. \
            Times of one machine on one day: compare ratios.

            ## Run

            - Command: `\(command)`
            - Commit: \(commit.map { "`\($0)`" } ?? "unknown")
            - Machine: \(machine.summary)
            - Noise: \(Formatting.number(100 * noise)) % (a kernel against itself, 95th percentile)

            """
    }
}

extension BenchmarkReport.Row {
    fileprivate var rate: String {
        boundBy == "compute" ? "\(Formatting.number(gflops)) GFLOP/s" : "\(Formatting.number(gbps)) GB/s"
    }

    fileprivate var percentOfRoof: String { "\(Formatting.number(100 * roofline))%" }

    fileprivate var speedupText: String {
        guard let speedup, let speedupLow, let speedupHigh else { return "–" }
        return "\(Formatting.number(speedup))× [\(Formatting.number(speedupLow)), \(Formatting.number(speedupHigh))]"
    }
}
