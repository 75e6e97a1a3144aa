import Foundation
import Platform

extension TrainingReport {
    /// The loss curve as a picture.
    public func lossCurve(_ theme: Theme) -> SVG { LossCurve(self, theme).drawing }
}

/// The picture of a run's losses.
private struct LossCurve {
    private typealias Point = (x: Double, y: Double)

    private static let (width, height) = (760.0, 400.0)
    private static let (left, right, top, bottom) = (60.0, 660.0, 48.0, 348.0)

    private let training, validation: [Point]
    private let xAxis, yAxis: Axis
    private let theme: Theme
    private let title: String

    init(_ report: TrainingReport, _ theme: Theme) {
        training = Self.thinned(report.steps.map { (Double($0.step), $0.loss) }, to: 600)
        validation = report.validations.map { (Double($0.step), $0.loss) }
        let losses = (training + validation).map(\.y)
        xAxis = Axis(from: 0, to: Double(max(report.steps.last?.step ?? 0, 1)), at: (Self.left, Self.right))
        yAxis = Axis(from: losses.min() ?? 0, to: losses.max() ?? 1, at: (Self.bottom, Self.top))
        self.theme = theme
        title = report.headline
    }

    /// The mean of neighbours, where there are more points than the picture can show.
    private static func thinned(_ points: [Point], to count: Int) -> [Point] {
        guard points.count > count else { return points }
        return (0..<count).map { index in
            let part = points[index * points.count / count..<(index + 1) * points.count / count]
            let n = Double(part.count)
            return (part.reduce(0) { $0 + $1.x } / n, part.reduce(0) { $0 + $1.y } / n)
        }
    }

    var drawing: SVG {
        var svg = SVG(width: Self.width, height: Self.height, theme: theme, title: "Loss by step: \(title)")
        svg.label(title, x: Self.left, y: 24, size: 14, bold: true)
        for tick in yAxis.ticks {
            let y = yAxis.place(tick)
            svg.line([(Self.left, y), (Self.right, y)], stroke: theme.grid)
            svg.label(yAxis.label(tick), x: Self.left - 8, y: y + 4, color: theme.faint, anchor: .end)
        }
        for tick in xAxis.ticks {
            svg.label(xAxis.label(tick), x: xAxis.place(tick), y: Self.bottom + 20, color: theme.faint, anchor: .middle)
        }
        svg.label("loss", x: Self.left - 8, y: Self.top - 12, color: theme.faint, anchor: .end)
        svg.label("step", x: (Self.left + Self.right) / 2, y: Self.bottom + 40, color: theme.faint, anchor: .middle)

        svg.line(training.map(placed), stroke: theme.color(0), width: 1.5)
        svg.line(validation.map(placed), stroke: theme.color(1), width: 2)
        for point in validation {
            let (x, y) = placed(point)
            svg.disc(
                x: x, y: y, radius: 4, color: theme.color(1),
                tip: "step \(Int(point.x)): validation \(Formatting.number(point.y))")
        }
        var last: Double?
        for (index, (points, name)) in [(training, "training"), (validation, "validation")].enumerated() {
            guard let end = points.last else { continue }
            var y = yAxis.place(end.y) + 4
            // Names that would lie on one another are moved apart.
            if let last, abs(y - last) < 16 { y = y < last ? last - 16 : last + 16 }
            last = y
            svg.label(name, x: Self.right + 10, y: y, color: theme.color(index))
        }
        return svg
    }

    private func placed(_ point: Point) -> Point { (xAxis.place(point.x), yAxis.place(point.y)) }
}

/// An axis that begins and ends at round numbers.
private struct Axis {
    let ticks: [Double]
    private let step: Double
    private let ends: (start: Double, end: Double)

    /// An axis for values from `low` to `high`, with up to eight ticks, drawn between two coordinates.
    init(from low: Double, to high: Double, at ends: (start: Double, end: Double)) {
        let span = max(high - low, 1e-3)
        let magnitude = pow(10, floor(log10(span / 6)))
        let step = [1, 2, 5].map { $0 * magnitude }.first { span / $0 <= 6 } ?? 10 * magnitude
        let first = (low / step).rounded(.down)
        let last = max((high / step).rounded(.up), first + 1)
        self.step = step
        self.ends = ends
        ticks = stride(from: first, through: last, by: 1).map { $0 * step }
    }

    func place(_ value: Double) -> Double {
        let (low, high) = (ticks[0], ticks[ticks.count - 1])
        return ends.start + (value - low) / (high - low) * (ends.end - ends.start)
    }

    func label(_ tick: Double) -> String {
        step >= 1 ? Formatting.count(Int(tick)) : String(format: "%.\(Int((-log10(step)).rounded(.up)))f", tick)
    }
}
