import Platform

extension BenchmarkReport {
    /// The training step of the first contestant as a waterfall: kernel after kernel, then what no kernel explains; below
    /// it the steps of all contestants in their three parts.
    func waterfall(_ step: TimedStep, _ theme: Theme) -> SVG? {
        guard let name = step.timings.first?.name, let first = step.timings.first?.times else { return nil }
        // Shares too small to see stand together.
        let large = first.shares.filter { $0.seconds >= 0.004 * first.total }
        let rest = first.shares.dropFirst(large.count).reduce(0) { $0 + $1.seconds }
        var bars = large.map { (name: $0.kernel, seconds: $0.seconds, color: theme.series[0]) }
        if rest > 0 { bars.append(("other kernels", rest, theme.series[0])) }
        bars.append(("no kernel", first.remainder, theme.unsure))
        bars.append(("whole step", first.total, theme.ink))
        let steps = step.timed

        let (left, right, top, line) = (196.0, 118.0, 62.0, 21.0)
        let second = top + Double(bars.count) * line + 56
        let height = second + Double(steps.count) * 30 + 22
        var svg = SVG(width: 860, height: height, theme: theme, title: "Training step of \(step.shape)")
        svg.label(
            "Where a training step goes: \(name), \(step.shape), \(Self.threads(step.threads))", x: 16, y: 24,
            size: 16, bold: true)
        svg.label(step.description, x: 16, y: 43, size: 12, color: theme.faint)

        let scale = (svg.width - left - right) / first.total
        var start = 0.0
        for (index, bar) in bars.enumerated() {
            let y = top + Double(index) * line
            let isWhole = index == bars.count - 1
            if isWhole { start = 0 }
            svg.label(bar.name, x: left - 10, y: y + 14, size: 12, anchor: .end, bold: isWhole)
            svg.rectangle(
                x: left + start * scale, y: y + 3, width: max(bar.seconds * scale, 1), height: line - 6,
                fill: bar.color, opacity: isWhole ? 0.75 : 1, radius: 2)
            let end = left + (start + bar.seconds) * scale
            svg.label(
                "\(Formatting.seconds(bar.seconds))  \(Formatting.percent(bar.seconds / first.total))", x: end + 7,
                y: y + 14, size: 11, color: theme.faint)
            start += bar.seconds
            if index < bars.count - 2 {
                svg.line([(end, y + line - 3), (end, y + line + 3)], stroke: theme.faint)
            }
        }

        let longest = steps.map(\.times.total).max() ?? first.total
        let parts = [("forward", theme.series[0]), ("backward", theme.series[1]), ("update", theme.series[2])]
        var legend = left
        for (name, color) in parts {
            svg.rectangle(x: legend, y: second - 26, width: 11, height: 11, fill: color, radius: 2)
            svg.label(name, x: legend + 16, y: second - 16, size: 12)
            legend += 96
        }
        for (index, (name, timing, _)) in steps.enumerated() {
            let y = second + Double(index) * 30
            svg.label(name, x: left - 10, y: y + 16, size: 12, anchor: .end, bold: index == 0)
            var x = left
            for (part, seconds) in zip(parts, [timing.forward, timing.backward, timing.update]) {
                let width = seconds / longest * (svg.width - left - right - 60)
                svg.rectangle(
                    x: x, y: y + 3, width: max(width - 1, 0.5), height: 18, fill: part.1, radius: 2,
                    tip: "\(name) \(part.0): \(Formatting.seconds(seconds))")
                x += width
            }
            svg.label(
                "\(Formatting.seconds(timing.total)), \(Formatting.whole(timing.tokensPerSecond)) tokens/s", x: x + 7,
                y: y + 16, size: 11, color: theme.faint)
        }
        return svg
    }
}
