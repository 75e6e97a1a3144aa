import Foundation

/// Colours for standard output; plain text in a pipe, or where `NO_COLOR` is set.
public struct Style: Sendable {
    private let isColoured: Bool

    /// The style that suits standard output.
    public static var standardOutput: Style {
        let colourless = ProcessInfo.processInfo.environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        return Style(isColoured: Terminal.isInteractive(1) && !colourless)
    }

    /// A style with colours or without.
    public init(isColoured: Bool) { self.isColoured = isColoured }

    /// Good news.
    public func green(_ text: String) -> String { paint(text, "32") }
    /// Bad news.
    public func red(_ text: String) -> String { paint(text, "31") }
    /// A heading.
    public func bold(_ text: String) -> String { paint(text, "1") }
    /// What may be skipped.
    public func dim(_ text: String) -> String { paint(text, "2") }

    private func paint(_ text: String, _ code: String) -> String {
        isColoured ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
