import Foundation

/// The JSON Schemas of `docs/schema`, and the part of the standard that they use.
///
/// Source: json-schema.org, draft 2020-12.
public struct RecordSchema {
    private let file: String
    private let root: JSONValue

    /// The schema of the records of that kind.
    public init(_ kind: String) throws { try self.init(file: "\(kind).schema.json") }

    private init(file: String) throws {
        self.file = file
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(packageRoot)/docs/schema/\(file)"))
        root = try JSONDecoder().decode(JSONValue.self, from: data)
    }

    /// Where the record does not follow the schema, and how; nothing if it does.
    public func problems(in record: Data) throws -> [String] {
        try problems(JSONDecoder().decode(JSONValue.self, from: record), root, "")
    }

    private func problems(_ value: JSONValue, _ schema: JSONValue, _ place: String) throws -> [String] {
        var found: [String] = []
        for (keyword, rule) in schema.object ?? [:] {
            switch (keyword, rule) {
            case ("$schema", _), ("title", _), ("description", _), ("$defs", _): break
            case ("$ref", .string(let reference)): found += try problems(value, at: reference, place)
            case ("type", .string(let type)):
                if !value.types.contains(type) { found.append("\(place): not of type \(type)") }
            case ("enum", .array(let choices)):
                if !choices.contains(value) { found.append("\(place): not one of those allowed") }
            case ("const", let constant): if value != constant { found.append("\(place): not \(constant)") }
            case ("pattern", .string(let pattern)):
                guard case .string(let text) = value else { break }
                if text.range(of: pattern, options: .regularExpression) == nil {
                    found.append("\(place): not \(pattern)")
                }
            case ("anyOf", .array(let choices)):
                let each = try choices.map { try problems(value, $0, place) }
                if !each.contains(where: \.isEmpty) { found.append("\(place): none of \(each)") }
            case ("minItems", .number(let least)):
                if Double(value.array?.count ?? 0) < least { found.append("\(place): too few items") }
            case ("items", let rule):
                for (index, item) in (value.array ?? []).enumerated() {
                    found += try problems(item, rule, "\(place)[\(index)]")
                }
            case ("properties", .object(let rules)):
                for (key, item) in value.object ?? [:] {
                    if let rule = rules[key] { found += try problems(item, rule, "\(place).\(key)") }
                }
            case ("required", .array(let keys)):
                for case .string(let key) in keys where value.object.map({ $0[key] == nil }) ?? false {
                    found.append("\(place): no \(key)")
                }
            case ("additionalProperties", let rule):
                let known = schema.object?["properties"]?.object ?? [:]
                for (key, item) in value.object ?? [:] where known[key] == nil {
                    if rule == .bool(false) {
                        found.append("\(place): \(key) is not in the schema")
                    } else {
                        found += try problems(item, rule, "\(place).\(key)")
                    }
                }
            default: found.append("\(file): the keyword \(keyword) is not known here")
            }
        }
        return found
    }

    private func problems(_ value: JSONValue, at reference: String, _ place: String) throws -> [String] {
        let definitions = "#/$defs/"
        guard reference.hasPrefix(definitions) else {
            let other = try RecordSchema(file: reference)
            return try other.problems(value, other.root, place)
        }
        guard let schema = root.object?["$defs"]?.object?[String(reference.dropFirst(definitions.count))] else {
            return ["\(file): there is no \(reference)"]
        }
        return try problems(value, schema, place)
    }
}

/// Any JSON.
private enum JSONValue: Decodable, Hashable {
    case null, bool(Bool), number(Double), string(String), array([JSONValue]), object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let string = try? value.decode(String.self) {
            self = .string(string)
        } else if let array = try? value.decode([JSONValue].self) {
            self = .array(array)
        } else {
            self = .object(try value.decode([String: JSONValue].self))
        }
    }

    var array: [JSONValue]? { if case .array(let items) = self { items } else { nil } }
    var object: [String: JSONValue]? { if case .object(let items) = self { items } else { nil } }

    /// What the standard calls it.
    var types: [String] {
        switch self {
        case .null: ["null"]
        case .bool: ["boolean"]
        case .number(let number): number == number.rounded() ? ["number", "integer"] : ["number"]
        case .string: ["string"]
        case .array: ["array"]
        case .object: ["object"]
        }
    }
}
