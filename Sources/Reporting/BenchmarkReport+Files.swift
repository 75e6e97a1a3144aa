import Foundation
import Platform

extension BenchmarkReport {
    /// Every file of the report, by its name in the folder: the record, the text, and the drawings in both themes.
    ///
    /// - Throws: An error of the JSON encoder.
    public func files() throws -> [(name: String, data: Data)] {
        var files = [("\(kind.rawValue).json", try JSON.data(self)), ("\(kind.rawValue).md", Data(markdown.utf8))]
        for drawing in drawings {
            for theme in Theme.all {
                guard let svg = drawing.draw(theme) else { continue }
                files.append((Self.file(drawing.name, theme), Data(svg.text.utf8)))
            }
        }
        return files
    }

    /// A drawing: its name, what it shows in words, and how to draw it.
    struct Drawing {
        let name: String
        let text: String
        let draw: (Theme) -> SVG?
    }

    /// The groups that are drawn: of each shape that with the most threads.
    private var drawn: [(shape: String, threads: Int, rows: [Row])] {
        groups.filter { group in !groups.contains { $0.shape == group.shape && $0.threads > group.threads } }
    }

    func rooflines(of shape: String? = nil) -> [Drawing] {
        drawn.filter { shape == nil || $0.shape == shape }.map { group in
            Drawing(
                name: "\(kind.rawValue)-roofline-\(Self.slug(group.shape))",
                text: "Roofline of \(group.shape): each kernel's operations a second over its operations for each byte"
            ) { roofline(group.rows, $0) }
        }
    }

    func forests() -> [Drawing] {
        drawn.map { group in
            Drawing(
                name: "\(kind.rawValue)-speedup-\(Self.slug(group.shape))",
                text: "Speed-up of \(contestants[0].name) at \(group.shape), kernel by kernel, with its interval"
            ) { forest(group.rows, $0) }
        }
    }

    func waterfalls() -> [Drawing] {
        steps.map { step in
            Drawing(
                name: "\(kind.rawValue)-step-\(Self.slug(step.shape))",
                text: "Training step of \(step.shape): the time of each kernel, and the remainder"
            ) { waterfall(step, $0) }
        }
    }

    private var drawings: [Drawing] { rooflines() + forests() + waterfalls() }

    /// The drawing for both kinds of page, as Markdown that GitHub shows.
    func picture(_ drawing: Drawing) -> String? {
        guard drawing.draw(.light) != nil else { return nil }
        return """
            <picture>
              <source media="(prefers-color-scheme: dark)" srcset="\(Self.file(drawing.name, .dark))">
              <img alt="\(drawing.text)" src="\(Self.file(drawing.name, .light))">
            </picture>
            """
    }

    private static func file(_ name: String, _ theme: Theme) -> String { "\(name)-\(theme.name).svg" }

    /// The name with nothing in it but letters, digits and dashes.
    private static func slug(_ name: String) -> String {
        String(name.map { $0.isLetter || $0.isNumber ? $0 : "-" })
    }
}
