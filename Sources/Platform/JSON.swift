import Foundation

/// Reports as JSON: the record from which everything else can be drawn again.
public enum JSON {
    /// The report, indented, with sorted keys.
    public static func data(_ report: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(report) + Data("\n".utf8)
    }

    /// The report in `data`.
    public static func report<Report: Decodable>(_ type: Report.Type, from data: Data) throws -> Report {
        try JSONDecoder().decode(type, from: data)
    }
}
