import Foundation
import Tensors

/// How numbers lie in a file; in memory they are `Float`. Little-endian, as every machine that Swift runs on.
enum StoredFloats: String {
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"

    /// The bytes of a number.
    var bytes: Int { self == .float32 ? 4 : 2 }

    /// Reads as many numbers as `view` has: `fill` puts their bytes where it is told.
    func read<Failure>(
        into view: MutableView<Float>, fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        if self == .float32 { return try fill(UnsafeMutableRawBufferPointer(view.buffer)) }
        let stored = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes * view.count, alignment: 64)
        defer { stored.deallocate() }
        try fill(stored)
        convert(UnsafeRawBufferPointer(stored), into: view)
    }

    private func convert(_ source: UnsafeRawBufferPointer, into view: MutableView<Float>) {
        switch self {
        case .float32: UnsafeMutableRawBufferPointer(view.buffer).copyMemory(from: source)
        case .bfloat16:
            for index in 0..<view.count { view[index] = Float(bitPattern: UInt32(half(source, index)) << 16) }
        case .float16:
            for index in 0..<view.count { view[index] = Self.float(half: half(source, index)) }
        }
    }

    /// The numbers of `view`, rounded to nearest where they do not fit.
    ///
    /// - Precondition: not float16, which is only read.
    func data(_ view: View<Float>) -> Data {
        switch self {
        case .float32:
            return Data(buffer: view.buffer)
        case .bfloat16:
            return view.buffer.map(Self.bfloat16).withUnsafeBytes { Data($0) }
        case .float16:
            preconditionFailure("float16 is only read")
        }
    }

    /// The upper half of a float32, rounded to nearest, ties to even; a NaN stays one.
    static func bfloat16(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        if value.isNaN { return UInt16(bits >> 16) | 0x40 }
        return UInt16((bits + 0x7fff + (bits >> 16 & 1)) >> 16)
    }

    /// The value of an IEEE 754 binary16; `Float16` does not exist on every platform.
    static func float(half: UInt16) -> Float {
        let sign: Float = half & 0x8000 == 0 ? 1 : -1
        let (exponent, fraction) = (Int(half >> 10 & 0x1f), Float(half & 0x3ff))
        switch exponent {
        case 0: return sign * fraction * 0x1p-24
        case 31: return fraction == 0 ? sign * .infinity : .nan
        default: return sign * (1 + fraction * 0x1p-10) * Float(sign: .plus, exponent: exponent - 15, significand: 1)
        }
    }

    private func half(_ source: UnsafeRawBufferPointer, _ index: Int) -> UInt16 {
        source.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
    }
}
