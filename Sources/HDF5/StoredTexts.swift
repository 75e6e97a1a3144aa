import CHDF5
import Glibc

/// The strings of a dataset or attribute, of whichever kind: of fixed length, ended by a zero or filled up with zeros or
/// blanks, or of variable length; ASCII or UTF-8.
struct StoredTexts {
    private let type, space: hid_t
    private let count: Int
    private let file, object: String

    /// The `count` strings of `type` and `space` at `object` of `file`.
    ///
    /// - Throws: ``HDF5Error`` where they are no strings; what has no elements may be of any type.
    init(_ type: hid_t, _ space: hid_t, _ count: Int, _ file: String, _ object: String) throws(HDF5Error) {
        guard count == 0 || ElementType(type) == .string else {
            throw HDF5Error(file, object, "it holds \(ElementType(type)), not text")
        }
        (self.type, self.space, self.count, self.file, self.object) = (type, space, count, file, object)
    }

    /// Reads them by `read`, which gets the type in memory and the buffer.
    func read(
        _ read: (hid_t, UnsafeMutableRawPointer) -> herr_t, failure: () -> HDF5Error
    ) throws(HDF5Error) -> [String] {
        if count == 0 { return [] }
        let isVariable = H5Tis_variable_str(type) > 0
        let stride = isVariable ? MemoryLayout<UnsafeMutablePointer<CChar>?>.stride : H5Tget_size(type)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count * stride, alignment: 16)
        defer { buffer.deallocate() }
        buffer.initializeMemory(as: UInt8.self, repeating: 0)
        guard let base = buffer.baseAddress, read(type, base) >= 0 else { throw failure() }
        // libhdf5 allocated what it points to.
        defer { if isVariable { H5Dvlen_reclaim(type, space, chdf5_default(), base) } }
        var texts: [String] = []
        for index in 0..<count {
            let bytes = isVariable ? variable(base, index) : fixed(buffer[index * stride..<(index + 1) * stride])
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw HDF5Error(file, object, "its text is not UTF-8")
            }
            texts.append(text)
        }
        return texts
    }

    private func variable(_ base: UnsafeMutableRawPointer, _ index: Int) -> [UInt8] {
        let pointer = base.assumingMemoryBound(to: UnsafePointer<CChar>?.self)[index]
        return pointer.map { UnsafeBufferPointer(start: $0, count: strlen($0)).map { UInt8(bitPattern: $0) } } ?? []
    }

    private func fixed(_ bytes: Slice<UnsafeMutableRawBufferPointer>) -> [UInt8] {
        var bytes = Array(bytes.prefix { $0 != 0 })
        if H5Tget_strpad(type) == H5T_STR_SPACEPAD { while bytes.last == UInt8(ascii: " ") { bytes.removeLast() } }
        return bytes
    }
}
