import Platform

extension BenchmarkReport {
    /// The roofline of one shape: how near each kernel comes to what arithmetic and bandwidth allow.
    ///
    /// A kernel stands at its intensity, operations for each byte; the roofs are what this machine reached in this run.
    ///
    /// Source: Williams, Waterman and Patterson 2009, Roofline: an insightful visual performance model.
    func roofline(_ rows: [Row], _ theme: Theme) -> SVG? {
        guard let row = rows.first, let ceiling = ceilings.first(where: { $0.threads == row.threads }) else {
            return nil
        }
        let (left, right, top, bottom) = (64.0, 24.0, 58.0, 52.0)
        var svg = SVG(
            width: 860, height: 520, theme: theme, title: "Roofline of \(row.shape) on \(Self.threads(row.threads))")
        let points = rows.compactMap(RooflinePoint.init)
        let x = LogAxis(
            holding: points.map(\.intensity) + [0.05, 60], from: left, to: svg.width - right)
        let y = LogAxis(
            holding: points.map(\.rate) + [ceiling.gflops * 1.3, 1], from: svg.height - bottom, to: top)

        svg.label("Roofline, \(row.shape), \(Self.threads(row.threads))", x: left, y: 24, size: 16, bold: true)
        svg.label(
            "solid: limits of this machine, measured in this run; points: \(contestants[0].name), pale: the others",
            x: left, y: 43, size: 12, color: theme.faint)
        drawGrid(&svg, x, y, xTitle: "operations for each byte", yTitle: "GFLOP/s")
        drawRoofs(&svg, ceiling, x, y)
        drawPoints(&svg, points, x, y)
        return svg
    }

    /// Each bandwidth up to where arithmetic takes over, and arithmetic's limit from there.
    private func drawRoofs(_ svg: inout SVG, _ ceiling: MachineCeilings, _ x: LogAxis, _ y: LogAxis) {
        let faint = svg.theme.faint
        let roofs = Self.roofs(ceiling)
        for (index, bandwidth) in roofs.enumerated() {
            let knee = ceiling.gflops / bandwidth.gbps
            let from = max(x.range.lowerBound, y.range.lowerBound / bandwidth.gbps)
            guard from < knee else { continue }
            svg.line(
                [(x[from], y[from * bandwidth.gbps]), (x[knee], y[ceiling.gflops])], stroke: faint,
                width: index == 0 ? 2 : 1.25)
            let angle = -180 / Double.pi * slope(x, y)
            let at = from * 1.25
            svg.label(
                "\(bandwidth.name) \(Formatting.number(bandwidth.gbps)) GB/s", x: x[at], y: y[at * bandwidth.gbps] - 6,
                size: 11, color: faint, angle: angle)
        }
        let knee = ceiling.gflops / (roofs.map(\.gbps).max() ?? 1)
        let end = x[x.range.upperBound]
        svg.line([(x[knee], y[ceiling.gflops]), (end, y[ceiling.gflops])], stroke: faint, width: 2)
        svg.label(
            "multiply-add \(Formatting.number(ceiling.gflops)) GFLOP/s", x: end, y: y[ceiling.gflops] - 7, size: 11,
            color: faint, anchor: .end)
    }

    /// The kernels, with their names where there is room; the others' times below them.
    private func drawPoints(_ svg: inout SVG, _ points: [RooflinePoint], _ x: LogAxis, _ y: LogAxis) {
        let theme = svg.theme
        var labels = LabelPlacer()
        let operations = points.reduce(into: [String]()) {
            if !$0.contains($1.row.operation) { $0.append($1.row.operation) }
        }
        func color(_ point: RooflinePoint) -> String {
            theme.color(operations.firstIndex(of: point.row.operation) ?? 0)
        }
        for point in points {
            for other in point.others {
                svg.disc(
                    x: x[point.intensity], y: y[point.row.gflops(other.seconds)], radius: 3, color: theme.faint,
                    hollow: true, tip: "\(other.name): \(point.name), \(Formatting.seconds(other.seconds))")
            }
        }
        for point in points {
            let percent = Formatting.percent(point.row.ceilingSeconds / point.seconds)
            svg.disc(
                x: x[point.intensity], y: y[point.rate], radius: 5.5, color: color(point),
                tip: "\(point.name): \(Formatting.number(point.rate)) GFLOP/s, \(percent) of its limit")
        }
        for point in points.sorted(by: { $0.rate > $1.rate }) {
            let text =
                point.row.operation == "matmul" ? "\(point.row.place) \(point.row.shortPass)" : point.row.shortKernel
            guard let place = labels.place(text, near: (x[point.intensity], y[point.rate]), within: svg) else {
                continue
            }
            svg.label(text, x: place.x, y: place.y, size: 11, color: color(point), anchor: place.anchor)
        }
    }

    /// The slope of a line of constant bandwidth, in radians.
    private func slope(_ x: LogAxis, _ y: LogAxis) -> Double {
        let dx = x[x.range.lowerBound * 2] - x[x.range.lowerBound]
        let dy = y[y.range.lowerBound] - y[y.range.lowerBound * 2]
        return dy.angle(over: dx)
    }

    /// The bandwidths, memory's first.
    private static func roofs(_ ceiling: MachineCeilings) -> [(name: String, gbps: Double)] {
        ceiling.bandwidths.reversed().map { (name: $0.level.rawValue, gbps: $0.best) }
    }
}

/// A kernel that was timed, as it stands under the roofs.
private struct RooflinePoint {
    let row: BenchmarkReport.Row
    /// The first contestant's time, and the others' who have one.
    let seconds: Double
    let others: [(name: String, seconds: Double)]

    init?(_ row: BenchmarkReport.Row) {
        guard let first = row.timings.first, let seconds = first.seconds else { return nil }
        (self.row, self.seconds) = (row, seconds)
        others = row.timings.dropFirst().compactMap { timing in timing.seconds.map { (timing.name, $0) } }
    }

    var name: String { "\(row.kernel) \(row.place)" }
    var intensity: Double { Double(row.operations) / Double(row.bytes) }
    var rate: Double { row.gflops(seconds) }
}

/// Draws the lines and numbers of two axes.
func drawGrid(_ svg: inout SVG, _ x: LogAxis, _ y: LogAxis?, xTitle: String, yTitle: String = "") {
    let (top, bottom) = (y?.end ?? 0, y?.start ?? 0)
    for tick in x.ticks() {
        svg.line([(x[tick], top), (x[tick], bottom)], stroke: svg.theme.grid)
        svg.label(LogAxis.name(tick), x: x[tick], y: bottom + 17, size: 11, color: svg.theme.faint, anchor: .middle)
    }
    svg.label(xTitle, x: (x.start + x.end) / 2, y: bottom + 38, size: 12, color: svg.theme.faint, anchor: .middle)
    guard let y else { return }
    for tick in y.ticks() {
        svg.line([(x.start, y[tick]), (x.end, y[tick])], stroke: svg.theme.grid)
        svg.label(LogAxis.name(tick), x: x.start - 8, y: y[tick] + 4, size: 11, color: svg.theme.faint, anchor: .end)
    }
    svg.label(yTitle, x: 18, y: (top + bottom) / 2, size: 12, color: svg.theme.faint, anchor: .middle, angle: -90)
}
