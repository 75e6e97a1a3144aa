import Foundation

/// The colours of a drawing, for a light or a dark page.
public struct Theme: Sendable {
    /// The ending of the file's name: `light` or `dark`.
    public let name: String
    /// The page, writing, lesser writing, and the lines of a grid.
    public let paper, ink, faint, grid: String
    /// Colours for series of data, told apart by people who see few colours too.
    public let series: [String]
    /// Colours of what is well, what is not, and what is undecided.
    public let good, bad, unsure: String

    /// Dark on light, as GitHub's light theme.
    ///
    /// Source of the series: Okabe and Ito 2008, Color universal design.
    public static let light = Theme(
        name: "light", paper: "#ffffff", ink: "#1f2328", faint: "#59636e", grid: "#d8dee4",
        series: ["#0072b2", "#d55e00", "#009e73", "#aa4499", "#b8860b", "#3a87c8", "#5f6a75"],
        good: "#1a7f37", bad: "#c62828", unsure: "#9a6700")
    /// Light on dark, as GitHub's dark theme.
    public static let dark = Theme(
        name: "dark", paper: "#0d1117", ink: "#e6edf3", faint: "#9198a1", grid: "#30363d",
        series: ["#58a6ff", "#ff9f43", "#3fc99a", "#e48bd0", "#e3c04f", "#9ecbff", "#a8b1bb"],
        good: "#3fb950", bad: "#ff7b72", unsure: "#d29922")
    /// Both.
    public static let all = [light, dark]

    /// The colour of the series at `index`, from the first again after the last.
    public func color(_ index: Int) -> String { series[index % series.count] }
}

/// A drawing in SVG: shapes are appended in order, and all text is escaped.
public struct SVG: Sendable {
    /// Where a text lies relative to its point.
    public enum Anchor: String, Sendable {
        case start, middle, end
    }

    /// The width and height, in pixels at the natural size.
    public let width, height: Double
    /// The colours.
    public let theme: Theme
    private let title: String
    private var elements: [String] = []

    /// An empty drawing. The `title` is what a screen reader says.
    public init(width: Double, height: Double, theme: Theme, title: String) {
        self.width = width
        self.height = height
        self.theme = theme
        self.title = title
    }

    /// The whole file.
    public var text: String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Self.number(width)) \(Self.number(height))" \
        width="\(Self.number(width))" height="\(Self.number(height))" role="img" \
        font-family="-apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, 'DejaVu Sans', sans-serif">
        <title>\(title.escapedForXML)</title>
        <rect width="100%" height="100%" fill="\(theme.paper)"/>
        \(elements.joined(separator: "\n"))
        </svg>

        """
    }

    /// A filled rectangle. `tip` is shown where a reader points at it.
    public mutating func rectangle(
        x: Double, y: Double, width: Double, height: Double, fill: String, opacity: Double = 1, radius: Double = 0,
        tip: String? = nil
    ) {
        add(
            "rect",
            [
                ("x", x), ("y", y), ("width", max(width, 0)), ("height", max(height, 0)), ("rx", radius),
                ("opacity", opacity),
            ], [("fill", fill)], tip)
    }

    /// A line through `points`, dashed if asked.
    public mutating func line(
        _ points: [(x: Double, y: Double)], stroke: String, width: Double = 1, dashed: Bool = false
    ) {
        let path = points.map { "\(Self.number($0.x)),\(Self.number($0.y))" }.joined(separator: " ")
        add(
            "polyline", [("stroke-width", width)],
            [("points", path), ("fill", "none"), ("stroke", stroke), ("stroke-linejoin", "round")]
                + (dashed ? [("stroke-dasharray", "4 4")] : []), nil)
    }

    /// A disc; hollow if asked.
    public mutating func disc(
        x: Double, y: Double, radius: Double, color: String, hollow: Bool = false, tip: String? = nil
    ) {
        add(
            "circle", [("cx", x), ("cy", y), ("r", radius), ("stroke-width", 1.5)],
            [("fill", hollow ? theme.paper : color), ("stroke", hollow ? color : theme.paper)], tip)
    }

    /// A text on the line at `y`, turned about its point by `angle` degrees.
    public mutating func label(
        _ text: String, x: Double, y: Double, size: Double = 12, color: String? = nil, anchor: Anchor = .start,
        bold: Bool = false, angle: Double = 0
    ) {
        var attributes = [("fill", color ?? theme.ink), ("text-anchor", anchor.rawValue)]
        if bold { attributes.append(("font-weight", "600")) }
        if angle != 0 {
            attributes.append(
                ("transform", "rotate(\(Self.number(angle)) \(Self.number(x)) \(Self.number(y)))"))
        }
        elements.append(
            "<text\(Self.attributes([("x", x), ("y", y), ("font-size", size)], attributes))>"
                + text.escapedForXML + "</text>")
    }

    private mutating func add(
        _ name: String, _ numbers: [(String, Double)], _ strings: [(String, String)], _ tip: String?
    ) {
        let start = "<\(name)\(Self.attributes(numbers.filter { $0.0 != "opacity" || $0.1 != 1 }, strings))"
        elements.append(tip.map { "\(start)><title>\($0.escapedForXML)</title></\(name)>" } ?? "\(start)/>")
    }

    private static func attributes(_ numbers: [(String, Double)], _ strings: [(String, String)]) -> String {
        (numbers.map { ($0.0, number($0.1)) } + strings).map { " \($0.0)=\"\($0.1.escapedForXML)\"" }.joined()
    }

    /// At most two decimals; 0 for what is not finite, which no drawing can show.
    private static func number(_ value: Double) -> String {
        guard value.isFinite else { return "0" }
        var text = String(format: "%.2f", value)
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return text == "-0" ? "0" : text
    }
}
