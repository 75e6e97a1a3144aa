import Foundation

/// Owning storage of `count` elements, aligned to a cache line of 64 bytes.
public struct Tensor<Element: BitwiseCopyable & Sendable>: ~Copyable, @unchecked Sendable {
    /// The writable view of all elements; valid as long as the tensor lives.
    public let view: MutableView<Element>

    /// The alignment of every tensor, in bytes: a cache line, and the widest SIMD register.
    public static var alignment: Int { 64 }

    /// Storage of `count` elements, each `value`. Large storage of zeros takes up memory only where it is touched.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    public init(repeating value: Element, count: Int) {
        let base = Self.allocate(count)
        let isZero = withUnsafeBytes(of: value) { $0.allSatisfy { $0 == 0 } }
        if !(isZero && Pages.hold(Self.byteCount(count))) { base.initialize(repeating: value, count: count) }
        view = MutableView(base, count: count)
    }

    /// Storage holding a copy of `elements`.
    public init(_ elements: some Collection<Element>) {
        let base = Self.allocate(elements.count)
        _ = UnsafeMutableBufferPointer(start: base, count: elements.count).initialize(fromContentsOf: elements)
        view = MutableView(base, count: elements.count)
    }

    private static func byteCount(_ count: Int) -> Int { count * MemoryLayout<Element>.stride }

    private static func allocate(_ count: Int) -> UnsafeMutablePointer<Element> {
        let bytes = byteCount(count)
        let memory = Pages.hold(bytes) ? Pages.map(bytes) : .allocate(byteCount: bytes, alignment: alignment)
        return memory.bindMemory(to: Element.self, capacity: count)
    }

    deinit {
        let (memory, bytes) = (UnsafeMutableRawPointer(view.base), Self.byteCount(view.count))
        if Pages.hold(bytes) { Pages.unmap(memory, bytes) } else { memory.deallocate() }
    }
}

/// Pages of the system's own for large tensors: they are zero, and there only once touched.
private enum Pages {
    /// The size of a large page: a row of a matrix often lies on a small page of its own, and the CPU keeps the addresses
    /// of few pages at hand.
    private static let large = 1 << 21

    /// Whether so many bytes have pages of their own.
    static func hold(_ bytes: Int) -> Bool { bytes >= 2 * large }

    /// Zeros that begin on a large page.
    static func map(_ bytes: Int) -> UnsafeMutableRawPointer {
        // Room to begin on a page, wherever the system maps it; what stands over goes back.
        let length = rounded(bytes)
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        guard let mapping = mmap(nil, length + large, PROT_READ | PROT_WRITE, flags, -1, 0), mapping != MAP_FAILED
        else { preconditionFailure("no memory for \(bytes) bytes") }
        let memory = mapping.alignedUp(toMultipleOf: large)
        let before = memory - mapping
        if before > 0 { munmap(mapping, before) }
        if before < large { munmap(memory + length, large - before) }
        madvise(memory, length, MADV_HUGEPAGE)
        return memory
    }

    static func unmap(_ memory: UnsafeMutableRawPointer, _ bytes: Int) { munmap(memory, rounded(bytes)) }

    private static func rounded(_ bytes: Int) -> Int { (bytes + large - 1) / large * large }
}
