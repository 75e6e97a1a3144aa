/// Owning storage of `count` elements, aligned to a cache line of 64 bytes.
public struct Tensor<Element: BitwiseCopyable & Sendable>: ~Copyable, @unchecked Sendable {
    /// The writable view of all elements; valid as long as the tensor lives.
    public let view: MutableView<Element>

    /// The alignment of every tensor, in bytes: a cache line, and the widest SIMD register.
    public static var alignment: Int { 64 }

    /// Storage of `count` elements, each `value`.
    public init(repeating value: Element, count: Int) {
        let bytes = UnsafeMutableRawPointer.allocate(
            byteCount: count * MemoryLayout<Element>.stride, alignment: Self.alignment)
        view = MutableView(bytes.initializeMemory(as: Element.self, repeating: value, count: count), count: count)
    }

    /// Storage holding a copy of `elements`.
    public init(_ elements: some Collection<Element>) {
        let bytes = UnsafeMutableRawPointer.allocate(
            byteCount: elements.count * MemoryLayout<Element>.stride, alignment: Self.alignment)
        let base = bytes.bindMemory(to: Element.self, capacity: elements.count)
        _ = UnsafeMutableBufferPointer(start: base, count: elements.count).initialize(fromContentsOf: elements)
        view = MutableView(base, count: elements.count)
    }

    deinit { UnsafeMutableRawPointer(view.base).deallocate() }
}
