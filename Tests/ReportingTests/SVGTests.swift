import Foundation
import FoundationXML
import Reporting
import Testing

struct SVGTests {
    /// Whatever the text and the numbers, the file is XML, and says what it was given.
    @Test(arguments: Theme.all.map(\.name))
    func isXML(_ name: String) throws {
        let theme = try #require(Theme.all.first { $0.name == name })
        var svg = SVG(width: 100, height: 50, theme: theme, title: "a < b & \"c\"\u{1}")
        svg.label("<script>", x: 1, y: .nan, angle: 90)
        svg.rectangle(x: 0, y: 0, width: -1, height: 2.345678, fill: theme.good, opacity: 0.5, tip: "5 > 4")
        svg.line([(0, 0), (10, .infinity)], stroke: theme.ink, dashed: true)
        svg.disc(x: 1, y: 1, radius: 2, color: theme.bad, hollow: true)
        let document = try XMLDocument(xmlString: svg.text)
        let root = try #require(document.rootElement())
        #expect(root.elements(forName: "title").first?.stringValue == "a < b & \"c\"")
        #expect(root.elements(forName: "text").first?.stringValue == "<script>")
        #expect(svg.text.contains("height=\"2.35\"") && svg.text.contains("width=\"0\""))
        #expect(!svg.text.contains("nan") && !svg.text.contains("inf"))
    }
}
