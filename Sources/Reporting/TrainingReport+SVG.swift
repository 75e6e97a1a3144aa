import Foundation

extension TrainingReport {
    /// The loss curve as an SVG picture, for light and dark pages.
    public var svg: String { LossCurve(self).svg }
}

/// The picture of a run's losses.
private struct LossCurve {
    private let training, validation: [(x: Double, y: Double)]
    private let xAxis, yAxis: Axis
    private let title: String

    private static let (width, height) = (760.0, 400.0)
    private static let (left, right, top, bottom) = (64.0, 96.0, 44.0, 52.0)

    init(_ report: TrainingReport) {
        training = Self.thinned(report.steps.map { (Double($0.step), $0.loss) }, to: 600)
        validation = report.validations.map { (Double($0.step), $0.loss) }
        let losses = (training + validation).map(\.y).filter(\.isFinite)
        xAxis = Axis(0, Double(max(report.steps.last?.step ?? 0, 1)))
        yAxis = Axis(losses.min() ?? 0, losses.max() ?? 1)
        title = report.headline
    }

    /// The mean of neighbours, where there are more points than the picture can show.
    private static func thinned(_ points: [(x: Double, y: Double)], to count: Int) -> [(x: Double, y: Double)] {
        guard points.count > count else { return points }
        return (0..<count).map { index in
            let part = points[index * points.count / count..<(index + 1) * points.count / count]
            let n = Double(part.count)
            return (part.reduce(0) { $0 + $1.x } / n, part.reduce(0) { $0 + $1.y } / n)
        }
    }

    var svg: String {
        let (width, height) = (Self.width, Self.height)
        let (plotRight, plotBottom) = (width - Self.right, height - Self.bottom)
        var parts = [
            #"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \#(Int(width)) \#(Int(height))" role="img" font-family="system-ui, sans-serif" font-size="13">"#,
            "<title>\(title)</title>",
            """
            <style>
            .ink { fill: #1f2328 } .soft { fill: #59636e } .grid { stroke: #d1d9e0 } .page { fill: #ffffff }
            .training { stroke: #0969da } .validation { stroke: #bc4c00 }
            .training-label { fill: #0969da } .validation-label { fill: #bc4c00 }
            @media (prefers-color-scheme: dark) {
            .ink { fill: #f0f6fc } .soft { fill: #9198a1 } .grid { stroke: #3d444d } .page { fill: #0d1117 }
            .training { stroke: #4493f8 } .validation { stroke: #f0883e }
            .training-label { fill: #4493f8 } .validation-label { fill: #f0883e }
            }
            </style>
            """,
            #"<rect class="page" width="100%" height="100%"/>"#,
            text(title, Self.left, 26, "ink", size: 15),
        ]
        for tick in yAxis.ticks {
            parts.append(
                #"<line class="grid" x1="\#(Self.left)" x2="\#(point(plotRight))" y1="\#(y(tick))" y2="\#(y(tick))"/>"#)
            parts.append(
                text(yAxis.label(tick), Self.left - 8, place(tick, yAxis, plotBottom, Self.top) + 4, "soft", "end"))
        }
        for tick in xAxis.ticks {
            parts.append(
                text(xAxis.label(tick), place(tick, xAxis, Self.left, plotRight), plotBottom + 20, "soft", "middle"))
        }
        parts.append(text("step", (Self.left + plotRight) / 2, height - 10, "soft", "middle"))
        parts.append(text("loss", 12, Self.top - 6, "soft"))
        parts.append(curve(training, "training", width: 1.5))
        parts.append(curve(validation, "validation", width: 2.5))
        parts += validation.filter(\.y.isFinite).map {
            #"<circle class="validation-label" cx="\#(x($0.x))" cy="\#(y($0.y))" r="3.5"/>"#
        }
        parts += labels(at: plotRight + 8)
        return parts.joined(separator: "\n") + "\n</svg>\n"
    }

    /// The curves' names at their ends, kept apart.
    private func labels(at x: Double) -> [String] {
        var last: Double?
        return [(training, "training"), (validation, "validation")].compactMap { points, name in
            guard let end = points.last(where: { $0.y.isFinite }) else { return nil }
            var height = place(end.y, yAxis, Self.height - Self.bottom, Self.top) + 4
            if let last, abs(height - last) < 16 { height = height < last ? last - 16 : last + 16 }
            last = height
            return text(name, x, height, "\(name)-label")
        }
    }

    private func curve(_ points: [(x: Double, y: Double)], _ name: String, width: Double) -> String {
        let path = points.filter(\.y.isFinite).map { "\(x($0.x)),\(y($0.y))" }.joined(separator: " ")
        return
            #"<polyline class="\#(name)" points="\#(path)" fill="none" stroke-width="\#(width)" stroke-linejoin="round"/>"#
    }

    private func text(
        _ text: String, _ x: Double, _ y: Double, _ style: String, _ anchor: String = "start", size: Int = 13
    ) -> String {
        let escaped = text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
        return
            #"<text class="\#(style)" x="\#(point(x))" y="\#(point(y))" text-anchor="\#(anchor)" font-size="\#(size)">\#(escaped)</text>"#
    }

    private func x(_ value: Double) -> String { point(place(value, xAxis, Self.left, Self.width - Self.right)) }
    private func y(_ value: Double) -> String { point(place(value, yAxis, Self.height - Self.bottom, Self.top)) }

    private func place(_ value: Double, _ axis: Axis, _ start: Double, _ end: Double) -> Double {
        start + (value - axis.low) / (axis.high - axis.low) * (end - start)
    }

    private func point(_ value: Double) -> String { String(format: "%.1f", value) }
}

/// An axis that begins and ends at round numbers.
private struct Axis {
    let low, high: Double
    let ticks: [Double]
    private let step: Double

    /// An axis for values from `low` to `high`, with four to eight ticks.
    init(_ low: Double, _ high: Double) {
        let span = max(high - low, 1e-3)
        let magnitude = pow(10, floor(log10(span / 4)))
        let step = [1, 2, 2.5, 5, 10].map { $0 * magnitude }.first { span / $0 <= 6 } ?? 10 * magnitude
        let first = (low / step).rounded(.down)
        let last = (high / step).rounded(.up)
        self.step = step
        ticks = stride(from: first, through: max(last, first + 1), by: 1).map { $0 * step }
        self.low = ticks[0]
        self.high = ticks[ticks.count - 1]
    }

    func label(_ tick: Double) -> String {
        step >= 1 && step == step.rounded() ? Formatting.count(Int(tick)) : String(format: "%.\(digits)f", tick)
    }

    private var digits: Int { max(Int((-log10(step)).rounded(.up)), 1) + (String(step).hasSuffix("25") ? 1 : 0) }
}
