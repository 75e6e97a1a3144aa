import Foundation

extension UnsafeRawBufferPointer {
    /// Whether both hold the same bytes.
    public func hasSameBytes(as other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        // An empty buffer may have no address.
        guard let first = baseAddress, let second = other.baseAddress else { return true }
        return memcmp(first, second, count) == 0
    }
}
