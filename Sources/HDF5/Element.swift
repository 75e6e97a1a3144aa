import CHDF5

/// What a dataset or attribute holds.
public enum ElementType: Sendable, Hashable, CustomStringConvertible {
    case float16
    case bfloat16
    case float32
    case float64
    case int32
    case int64
    case uint8
    case string
    /// What is not read here, by its name.
    case other(String)

    public var description: String {
        switch self {
        case .float16: "float16"
        case .bfloat16: "bfloat16"
        case .float32: "float32"
        case .float64: "float64"
        case .int32: "int32"
        case .int64: "int64"
        case .uint8: "uint8"
        case .string: "string"
        case .other(let name): name
        }
    }

    /// Whether it is a type of floating-point numbers.
    public var isFloat: Bool {
        switch self {
        case .float16, .bfloat16, .float32, .float64: true
        case .int32, .int64, .uint8, .string, .other: false
        }
    }

    /// The type that libhdf5 says `type` is.
    init(_ type: hid_t) {
        switch (H5Tget_class(type), H5Tget_size(type)) {
        case (H5T_FLOAT, 2) where Self.exponentBits(type) == 5: self = .float16
        case (H5T_FLOAT, 2) where Self.exponentBits(type) == 8: self = .bfloat16
        case (H5T_FLOAT, 4): self = .float32
        case (H5T_FLOAT, 8): self = .float64
        case (H5T_INTEGER, 4) where H5Tget_sign(type) == H5T_SGN_2: self = .int32
        case (H5T_INTEGER, 8) where H5Tget_sign(type) == H5T_SGN_2: self = .int64
        case (H5T_INTEGER, 1) where H5Tget_sign(type) == H5T_SGN_NONE: self = .uint8
        case (H5T_STRING, _): self = .string
        default: self = .other(Self.name(type))
        }
    }

    private static func name(_ type: hid_t) -> String {
        let bits = 8 * H5Tget_size(type)
        switch H5Tget_class(type) {
        case H5T_INTEGER: return (H5Tget_sign(type) == H5T_SGN_2 ? "int" : "uint") + "\(bits)"
        case H5T_FLOAT: return "floats of \(bits) bits"
        case H5T_COMPOUND: return "a compound type, such as complex numbers"
        case H5T_ENUM: return "an enumeration, such as bool"
        case H5T_VLEN: return "lists"
        case H5T_ARRAY: return "arrays"
        case H5T_REFERENCE: return "references"
        case H5T_OPAQUE, H5T_BITFIELD: return "raw bytes"
        default: return "another type"
        }
    }

    private static func exponentBits(_ type: hid_t) -> Int {
        var (sign, position, bits, start, mantissa) = (0, 0, 0, 0, 0)
        return H5Tget_fields(type, &sign, &position, &bits, &start, &mantissa) < 0 ? 0 : bits
    }
}

/// A Swift type that datasets and attributes can hold.
public protocol Element: BitwiseCopyable, Sendable {
    /// Its type in the file.
    static var type: ElementType { get }
    /// libhdf5's type of it in memory.
    static var native: NativeType { get }
    /// A value to start buffers with.
    static var zero: Self { get }
}

/// libhdf5's identifier of a type in memory.
public struct NativeType: Sendable {
    let id: @Sendable () -> hid_t
}

extension Float: Element {
    public static var type: ElementType { .float32 }
    public static var native: NativeType { NativeType(id: chdf5_native_float) }
}

extension Double: Element {
    public static var type: ElementType { .float64 }
    public static var native: NativeType { NativeType(id: chdf5_native_double) }
}

extension Int32: Element {
    public static var type: ElementType { .int32 }
    public static var native: NativeType { NativeType(id: chdf5_native_int32) }
}

extension Int64: Element {
    public static var type: ElementType { .int64 }
    public static var native: NativeType { NativeType(id: chdf5_native_int64) }
}

extension UInt8: Element {
    public static var type: ElementType { .uint8 }
    public static var native: NativeType { NativeType(id: chdf5_native_uint8) }
}
