import Foundation
import Platform

/// What a build, or another program of the gate, printed.
struct BuildLog {
    /// Where it is.
    let path: String
    /// The folder whose files it speaks of.
    let folder: String

    private var lines: [Substring] {
        (FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? "")
            .split(whereSeparator: \.isNewline)
    }

    /// The compiler's first errors in one line, with the files as the commit has them; if it has none, the last line.
    var firstErrors: String {
        let all = lines
        let located = all.filter { $0.contains(": error: ") }
        let errors = located.isEmpty ? all.filter { $0.hasPrefix("error: ") } : located
        var distinct: [String] = []
        for line in errors.isEmpty ? all.suffix(1) : errors[...] {
            let text = Formatting.printable(line).replacing("\(root)/", with: "")
            if !distinct.contains(text) { distinct.append(text) }
        }
        let shown = distinct.prefix(3).joined(separator: "; ")
        return distinct.count > 3 ? "\(shown); and \(distinct.count - 3) more" : shown
    }

    /// The last line.
    var lastLine: String { lines.last.map { Formatting.printable($0) } ?? "" }

    private var root: String { URL(fileURLWithPath: folder).resolvingSymlinksInPath().path }
}
