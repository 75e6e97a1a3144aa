/// The character that stands for each byte in GPT-2's vocabulary files, where every byte must be printable.
///
/// Source: GPT-2 `bytes_to_unicode`.
enum ByteCharacters {
    private static let bytes: [Unicode.Scalar: UInt8] = {
        var bytes: [Unicode.Scalar: UInt8] = [:]
        var unprintable: UInt32 = 0
        for byte in UInt8.min...UInt8.max {
            switch byte {
            case 0x21...0x7e, 0xa1...0xac, 0xae...0xff: bytes[Unicode.Scalar(byte)] = byte
            default:
                if let stand = Unicode.Scalar(0x100 + unprintable) { bytes[stand] = byte }
                unprintable += 1
            }
        }
        return bytes
    }()

    /// The bytes that `spelling` stands for; nil if a character stands for none.
    static func bytes(of spelling: some StringProtocol) -> [UInt8]? {
        var result: [UInt8] = []
        for scalar in spelling.unicodeScalars {
            guard let byte = bytes[scalar] else { return nil }
            result.append(byte)
        }
        return result
    }
}
