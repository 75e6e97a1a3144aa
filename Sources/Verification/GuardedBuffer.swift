import Tensors

/// Memory for one argument of a kernel that is not trusted: a red zone on both sides shows writes out of bounds.
final class GuardedBuffer {
    /// The bytes of each red zone; a multiple of the alignment.
    private static let zone = 1024
    /// What red zones hold: no plausible number.
    private static let pattern: UInt8 = 0xa5

    private let storage: Tensor<UInt8>
    private let byteCount: Int

    /// A buffer of `count` elements, each `value`.
    init<Element: BitwiseCopyable & Sendable>(repeating value: Element, count: Int) {
        byteCount = count * MemoryLayout<Element>.stride
        storage = Tensor(repeating: Self.pattern, count: 2 * Self.zone + byteCount)
        UnsafeMutableRawPointer(storage.view.base + Self.zone)
            .initializeMemory(as: Element.self, repeating: value, count: count)
    }

    /// The elements, which must be of the type that the buffer was made with.
    func view<Element>(of type: Element.Type) -> MutableView<Element> {
        let base = UnsafeMutableRawPointer(storage.view.base + Self.zone).assumingMemoryBound(to: type)
        return MutableView(base, count: byteCount / MemoryLayout<Element>.stride)
    }

    /// The elements' bytes.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: storage.view.base + Self.zone, count: byteCount) }

    /// Whether both red zones are as they were.
    var isIntact: Bool {
        let bytes = storage.view.buffer
        return bytes[..<Self.zone].allSatisfy { $0 == Self.pattern }
            && bytes[(Self.zone + byteCount)...].allSatisfy { $0 == Self.pattern }
    }
}
