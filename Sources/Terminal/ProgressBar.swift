import Foundation

/// A bar on standard error that shows how far the work is; nothing where that is not a terminal.
public final class ProgressBar {
    private let isShown = Terminal.isInteractive(2)
    private var last = ""

    /// A bar that appears with the first ``show(_:fraction:)``.
    public init() {}

    deinit { clear() }

    /// Shows what is under way and the fraction done, from 0 to 1.
    public func show(_ activity: String, fraction: Double) {
        guard isShown else { return }
        let width = 24
        let full = Int((min(max(fraction, 0), 1) * Double(width)).rounded(.down))
        let bar = String(repeating: "█", count: full) + String(repeating: "░", count: width - full)
        let line = "\(bar) \(Int(fraction * 100))% " + activity.suffix(46)
        guard line != last else { return }
        last = line
        FileHandle.standardError.write(Data("\r\u{1b}[K\(line)".utf8))
    }

    /// Takes the bar away.
    public func clear() {
        guard isShown, !last.isEmpty else { return }
        last = ""
        FileHandle.standardError.write(Data("\r\u{1b}[K".utf8))
    }
}
