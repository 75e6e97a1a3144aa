extension String {
    /// The text as it stands in XML: its own characters replaced, and those left out that it cannot hold.
    var escapedForXML: String {
        unicodeScalars.reduce(into: "") { escaped, scalar in
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "\t", "\n", " "..."\u{fffd}", "\u{10000}"...: escaped.unicodeScalars.append(scalar)
            default: break
            }
        }
    }
}
