import Foundation
import Platform

extension HeatMap {
    /// The map as a drawing under that title.
    func drawing(_ title: String, theme: Theme) -> SVG {
        let gridRows = cells.count
        let gridColumns = cells.first?.count ?? 0
        let side = min(640 / Double(max(gridColumns, 1)), 320 / Double(max(gridRows, 1)), 24)
        let (left, top) = (64.0, 56.0)
        let legendWidth = 470.0
        let width = max(left + side * Double(gridColumns) + 24, left + legendWidth, 80 + 7 * Double(title.count))
        let bottom = top + side * Double(gridRows)
        var drawing = SVG(width: width, height: bottom + 72, theme: theme, title: title)
        drawing.label(title, x: 16, y: 26, size: 14, bold: true)
        drawing.label("\(rows) rows × \(columns) columns", x: left, y: top - 8, size: 11, color: theme.faint)
        drawing.label("0", x: left - 8, y: top + 11, size: 11, color: theme.faint, anchor: .end)
        if rows > 1 {
            drawing.label("\(rows - 1)", x: left - 8, y: bottom, size: 11, color: theme.faint, anchor: .end)
        }
        drawing.label("0", x: left, y: bottom + 14, size: 11, color: theme.faint)
        drawing.label(
            "\(columns - 1)", x: left + side * Double(gridColumns), y: bottom + 14, size: 11, color: theme.faint,
            anchor: .end)
        for (row, text) in cells.enumerated() {
            for (column, cell) in text.enumerated() {
                drawing.rectangle(
                    x: left + side * Double(column), y: top + side * Double(row), width: side * 0.94,
                    height: side * 0.94, fill: Self.color(cell, theme))
            }
        }
        var x = left
        for (cell, text) in [
            (Character(" "), "unspecified"), ("0", "holds"), ("1", "≤ 10 × bound"), ("2", "≤ 100 ×"),
            ("4", "≤ 10⁴ ×"), ("9", "more"), ("x", "NaN, ∞"),
        ] {
            drawing.rectangle(x: x, y: bottom + 36, width: 12, height: 12, fill: Self.color(cell, theme))
            drawing.label(text, x: x + 16, y: bottom + 46, size: 11, color: theme.faint)
            x += 30 + 6 * Double(text.count)
        }
        return drawing
    }

    /// From yellow to deep red, as errors grow; both themes can show them.
    private static let ramp = [
        "#fed976", "#feb24c", "#fd8d3c", "#fc4e2a", "#e31a1c", "#bd0026", "#99000d", "#800026", "#67001f",
    ]

    private static func color(_ cell: Character, _ theme: Theme) -> String {
        switch cell {
        case " ": theme.grid
        case "0": theme.series[0] + "59"
        case "x": theme.ink
        default: ramp[(cell.wholeNumberValue ?? 9) - 1]
        }
    }
}

extension VerificationReport {
    /// The most maps that a report has; what fails after so many tensors rarely says more.
    static let mostMaps = 48

    /// The failed tensors with a map, and the name of each one's drawing less its theme.
    var maps: [(row: ComparisonRow, map: HeatMap, name: String)] {
        rows.lazy.filter { $0.verdict == .fail }.prefix(Self.mostMaps).enumerated().compactMap { number, row in
            row.explanation?.heat.map { map in
                let words = [row.operation, row.pass, row.mode.rawValue, row.case, row.tensor].joined(separator: "-")
                let safe = words.map { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" ? $0 : "-" }
                return (row, map, "verify-maps/\(number + 1)-" + String(safe))
            }
        }
    }

    /// Every file of the report, by its name in the folder of reports.
    public func files() throws -> [(name: String, data: Data)] {
        var files = [
            ("verify.json", try JSON.data(self)), ("verify.md", Data(markdown.utf8)),
            ("verify.junit.xml", Data(junit.utf8)),
        ]
        for (row, map, name) in maps {
            for theme in Theme.all {
                let title = "\(row.operation) \(row.pass), \(row.mode.rawValue), \(row.case): \(row.tensor)"
                files.append(("\(name).\(theme.name).svg", Data(map.drawing(title, theme: theme).text.utf8)))
            }
        }
        return files
    }
}
