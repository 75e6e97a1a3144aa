import Foundation

/// A bar on standard error that shows how far the work is; nothing where that is not a terminal.
public final class ProgressBar {
    private let isShown = Terminal.isInteractive(2)
    private var last: Substring = ""

    /// A bar that appears with the first ``show(_:fraction:)``.
    public init() {}

    deinit { clear() }

    /// Shows what is under way and the fraction done, from 0 to 1.
    public func show(_ activity: String, fraction: Double) {
        guard isShown else { return }
        let columns = min(Terminal.columns(2), 80)
        let width = min(24, columns / 3)
        let full = Int((min(max(fraction, 0), 1) * Double(width)).rounded(.down))
        let bar = String(repeating: "█", count: full) + String(repeating: "░", count: width - full)
        // A line that wraps could not be taken away.
        let line = "\(bar) \(Int(fraction * 100))% \(activity)".prefix(columns - 1)
        guard line != last else { return }
        last = line
        StandardStreams.error("\r\u{1b}[K\(line)")
    }

    /// Takes the bar away.
    public func clear() {
        guard isShown, !last.isEmpty else { return }
        last = ""
        StandardStreams.error("\r\u{1b}[K")
    }
}
