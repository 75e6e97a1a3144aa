extension Terminal {
    /// Text broken at spaces into lines of at most 80 columns, those after the first indented.
    public static func wrapped(_ text: String, indent: Int) -> [String] {
        let margin = String(repeating: " ", count: indent)
        let first = text.prefix(indent)
        let lines = wrap(String(text.dropFirst(indent)), width: 80 - indent)
        return lines.enumerated().map { ($0 == 0 ? first : margin[...]) + $1 }
    }
}
