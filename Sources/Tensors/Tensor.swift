import Foundation

/// Owning storage of `count` elements, aligned to a cache line of 64 bytes.
public struct Tensor<Element: BitwiseCopyable & Sendable>: ~Copyable, @unchecked Sendable {
    /// The writable view of all elements; valid as long as the tensor lives.
    public let view: MutableView<Element>

    /// The alignment of every tensor, in bytes: a cache line, and the widest SIMD register.
    public static var alignment: Int { 64 }

    /// Storage of `count` elements, each `value`.
    public init(repeating value: Element, count: Int) {
        let bytes = Self.allocate(count)
        view = MutableView(bytes.initializeMemory(as: Element.self, repeating: value, count: count), count: count)
    }

    /// Storage holding a copy of `elements`.
    public init(_ elements: some Collection<Element>) {
        let bytes = Self.allocate(elements.count)
        let base = bytes.bindMemory(to: Element.self, capacity: elements.count)
        _ = UnsafeMutableBufferPointer(start: base, count: elements.count).initialize(fromContentsOf: elements)
        view = MutableView(base, count: elements.count)
    }

    /// Memory for `count` elements. Where it is large, Linux is asked for pages of 2 MiB: a row of a matrix often lies on
    /// a page of its own otherwise, and the CPU keeps the addresses of few pages at hand.
    private static func allocate(_ count: Int) -> UnsafeMutableRawPointer {
        let (bytes, page) = (count * MemoryLayout<Element>.stride, 1 << 21)
        guard bytes >= 2 * page else { return .allocate(byteCount: bytes, alignment: alignment) }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: page)
        #if os(Linux)
            madvise(memory, bytes, MADV_HUGEPAGE)
        #endif
        return memory
    }

    deinit { UnsafeMutableRawPointer(view.base).deallocate() }
}
