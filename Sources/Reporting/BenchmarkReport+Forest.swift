import Platform

extension BenchmarkReport {
    /// The forest plot of one shape: the first contestant's speed-up over each other with its interval, kernel by kernel.
    func forest(_ rows: [Row], _ theme: Theme) -> SVG? {
        let others = contestants.indices.dropFirst().filter { index in
            rows.contains { $0.timings[index].comparison != nil }
        }
        guard let first = rows.first, !others.isEmpty else { return nil }
        let (left, right, top, line) = (244.0, 132.0, 84.0, 15.0 * Double(others.count) + 9)
        let height = top + Double(rows.count) * line + 58
        var svg = SVG(
            width: 860, height: height, theme: theme,
            title: "Speed-up of \(contestants[0].name), \(first.shape), \(Self.threads(first.threads))")
        let comparisons = rows.flatMap { row in others.compactMap { row.timings[$0].comparison } }
        let bounds = comparisons.flatMap { [1 / $0.low, 1 / $0.high] }
        let x = LogAxis(holding: bounds + [0.9, 1.1], from: left, to: svg.width - right)
        let y = (top: top, bottom: height - 58)

        svg.label(
            "How many times faster \(contestants[0].name) is, \(first.shape), \(Self.threads(first.threads))", x: 16,
            y: 24, size: 16, bold: true)
        svg.label(
            "middle of the paired ratios with its 95 % interval; right of 1 is faster; the band is the noise of this run",
            x: 16, y: 43, size: 12, color: theme.faint)
        var legend = 16.0
        for (series, index) in others.enumerated() {
            svg.disc(x: legend + 5, y: 60, radius: 4.5, color: theme.color(series))
            let text = "over \(contestants[index].name)"
            svg.label(text, x: legend + 15, y: 64, size: 12)
            legend += Double(text.count) * 7 + 36
        }

        svg.rectangle(
            x: x[1 / (1 + noise.margin)], y: y.top, width: x[1 + noise.margin] - x[1 / (1 + noise.margin)],
            height: y.bottom - y.top, fill: theme.unsure, opacity: 0.18)
        for tick in x.ticks(9) {
            svg.line([(x[tick], y.top), (x[tick], y.bottom)], stroke: theme.grid)
            svg.label(
                LogAxis.name(tick) + "×", x: x[tick], y: y.bottom + 17, size: 11, color: theme.faint, anchor: .middle)
        }
        svg.line([(x[1], y.top), (x[1], y.bottom)], stroke: theme.ink, width: 1.25)
        svg.label("slower", x: x[1] - 8, y: y.top - 5, size: 11, color: theme.faint, anchor: .end)
        svg.label("faster", x: x[1] + 8, y: y.top - 5, size: 11, color: theme.faint)

        for (number, row) in rows.enumerated() {
            let middle = y.top + (Double(number) + 0.5) * line
            if number.isMultiple(of: 2) {
                svg.rectangle(
                    x: 8, y: middle - line / 2, width: svg.width - 16, height: line, fill: theme.ink, opacity: 0.035)
            }
            svg.label("\(row.shortKernel) · \(row.place)", x: left - 12, y: middle + 4, size: 12, anchor: .end)
            for (series, index) in others.enumerated() {
                guard let comparison = row.timings[index].comparison else { continue }
                let height = middle + (Double(series) - Double(others.count - 1) / 2) * 15
                let (color, value) = (theme.color(series), 1 / comparison.ratio)
                svg.line([(x[1 / comparison.high], height), (x[1 / comparison.low], height)], stroke: color, width: 2)
                svg.disc(
                    x: x[value], y: height, radius: 4.5, color: color, hollow: comparison.verdict == .unsure,
                    tip: "\(row.kernel) \(row.place) over \(contestants[index].name): \(Self.interval(comparison))")
                svg.label(
                    Self.interval(comparison), x: svg.width - 16, y: height + 4, size: 11, color: color, anchor: .end)
            }
        }
        return svg
    }

    /// The speed-up with its interval: `2.31× [2.28, 2.35]`.
    static func interval(_ comparison: Comparison) -> String {
        "\(Formatting.number(1 / comparison.ratio))× [\(Formatting.number(1 / comparison.high)), "
            + "\(Formatting.number(1 / comparison.low))]"
    }
}
