/// What GPT-2's pattern distinguishes.
enum ScalarClass: UInt8 {
    /// Neither of the others.
    case other
    /// `\p{L}`.
    case letter
    /// `\p{N}`.
    case number
    /// `\s`.
    case space

    /// The class of the Unicode scalar of that value.
    static func of(_ value: UInt32) -> ScalarClass { table[Int(value)] }

    /// One entry for each code point. The runtime's own properties will not do: which letters there are depends on its
    /// version of Unicode, and tokens must not.
    private static let table: [ScalarClass] = {
        var table = [ScalarClass](repeating: .other, count: 0x110000)
        for (boundary, next) in zip(scalarClassBoundaries, scalarClassBoundaries.dropFirst() + [0x110000 << 2]) {
            guard let found = ScalarClass(rawValue: UInt8(boundary & 3)) else { continue }
            for value in boundary >> 2..<next >> 2 { table[Int(value)] = found }
        }
        return table
    }()
}
