/// A number that JSON can carry even where it is not finite: as the string `nan`, `inf` or `-inf`.
@propertyWrapper
public struct NonFinite: Codable, Sendable, Hashable {
    /// The number.
    public var wrappedValue: Double

    /// Wraps `wrappedValue`.
    public init(wrappedValue: Double) { self.wrappedValue = wrappedValue }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Double.self) {
            wrappedValue = number
        } else if let number = Double(try container.decode(String.self)) {
            wrappedValue = number
        } else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a number")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if wrappedValue.isFinite {
            try container.encode(wrappedValue)
        } else {
            // What else a NaN carries is no part of the number.
            try container.encode(wrappedValue.isNaN ? "nan" : "\(wrappedValue)")
        }
    }
}
