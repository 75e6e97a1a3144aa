import Foundation

/// Numbers and tables as people read them.
public enum Formatting {
    /// Three significant digits: `0.0312`, `12.3`, `1.23e-08`; `0`, `inf` and `nan` as they are.
    public static func number(_ value: Double) -> String {
        guard value.isFinite, value != 0 else { return value == 0 ? "0" : value.isNaN ? "nan" : "\(value)" }
        switch abs(value) {
        case 0.001..<1: return String(format: "%.3g", value)
        case 1..<1000: return String(format: "%.\(abs(value) < 10 ? 2 : abs(value) < 100 ? 1 : 0)f", value)
        default: return String(format: "%.2e", value)
        }
    }

    /// An error as a fraction of its bound, in at most five columns: `3e-04`, `0.077`, `0.999`, `29.9`, `1e+05`. What lies on one
    /// side of the bound is not shown as the bound itself.
    public static func fraction(_ value: Double) -> String {
        guard value > 0, value < 1 else { return value == 0 ? "0" : ratio(value > 1 ? max(value, 1.01) : value) }
        return String(format: value < 0.0005 ? "%.0e" : "%.3f", min(value, 0.999))
    }

    /// A number of right decimal digits, as `6.9`; `all` where nothing is wrong.
    public static func digits(_ value: Double) -> String {
        value.isFinite ? String(format: "%.1f", value) : value > 0 ? "all" : "\(value)"
    }

    /// A multiple in at most five columns: `0.07`, `1.16`, `29.9`, `117`, `1e+05`.
    public static func ratio(_ value: Double) -> String {
        guard value.isFinite else { return "\(value)" }
        let decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0
        return value < 999.5 ? String(format: "%.\(decimals)f", value) : String(format: "%.0e", min(value, 9e99))
    }

    /// A text broken at blanks into lines of at most 80 columns, each behind so many blanks; a longer word stays whole.
    public static func wrapped(_ text: String, indent: Int = 0) -> [String] {
        let lines = text.split(separator: " ").reduce(into: [String]()) { lines, word in
            if let last = lines.last, indent + last.count + 1 + word.count <= 80 {
                lines[lines.count - 1] += " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines.map { String(repeating: " ", count: indent) + $0 }
    }

    /// Enough digits to tell one float32 from the next.
    public static func exact(_ value: Double) -> String {
        value.isFinite ? String(format: "%.9g", value) : value.isNaN ? "nan" : "\(value)"
    }

    /// A count with thousands apart: `1 322`.
    public static func count(_ value: Int) -> String {
        var digits = Array(String(value))
        for index in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert("\u{2009}", at: index) }
        return String(digits)
    }

    /// An index such as `[0, 3, 17]`.
    public static func index(_ index: [Int]) -> String { "[" + index.map(String.init).joined(separator: ", ") + "]" }

    /// A number without decimals, thousands apart.
    public static func whole(_ value: Double) -> String { value.isFinite ? count(Int(value.rounded())) : "\(value)" }

    /// A fraction as `8.1%`, `12%`.
    public static func percent(_ fraction: Double) -> String {
        let value = 100 * fraction
        return value.isFinite ? String(format: abs(value) < 9.95 ? "%.1f%%" : "%.0f%%", value) : "\(value)"
    }

    /// Bytes as `12.3 MB` or `2.31 GB`.
    public static func bytes(_ value: Int) -> String {
        var (amount, unit) = (Double(value) / 1e3, 0)
        let units = ["kB", "MB", "GB", "TB", "PB", "EB"]
        while amount >= 1e3, unit < units.count - 1 { (amount, unit) = (amount / 1e3, unit + 1) }
        return "\(number(amount)) \(units[unit])"
    }

    /// Seconds as `0.55 s` or `250 µs`.
    public static func seconds(_ value: Double) -> String {
        switch value {
        case ..<1e-3: "\(number(value * 1e6)) µs"
        case ..<1: "\(number(value * 1e3)) ms"
        default: "\(number(value)) s"
        }
    }

    /// A table in Markdown; columns that `right` names are set flush right.
    public static func markdown(_ header: [String], _ rows: [[String]], right: Set<Int> = []) -> String {
        let rule = header.indices.map { right.contains($0) ? "---:" : "---" }
        return ([header, rule] + rows).map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
    }

    /// A table in plain text, columns two blanks apart; columns that `right` names are set flush right.
    public static func plain(_ rows: [[String]], right: Set<Int> = []) -> [String] {
        guard let columns = rows.map(\.count).max() else { return [] }
        let widths = (0..<columns).map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return right.contains(column) ? padding + cell : cell + padding
            }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    /// What somebody else wrote, with a mark in place of what a terminal would act on; new lines and tabs only stay where
    /// they are to.
    public static func printable(_ text: some StringProtocol, keepingLines: Bool = false) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    if keepingLines, scalar == "\n" || scalar == "\t" { return scalar }
                    return switch scalar.properties.generalCategory {
                    case .control, .format, .surrogate, .privateUse, .lineSeparator, .paragraphSeparator: "·"
                    default: scalar
                    }
                }))
    }
}
