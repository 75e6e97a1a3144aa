/// The plain, read-only window on a tensor's elements that a kernel takes: a base address and a count.
///
/// Row-major; a kernel knows the shape from its sizes. Whoever makes a view keeps its storage alive.
///
/// Sendable without the compiler's check, here and in ``MutableView`` only: the threads of a kernel share views and
/// write disjoint elements, which no type can express. It is the one escape hatch of the package.
@frozen
public struct View<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
    /// The address of the first element.
    public let base: UnsafePointer<Element>
    /// The number of elements.
    public let count: Int

    /// A view of `count` elements at `base`.
    @inlinable
    public init(_ base: UnsafePointer<Element>, count: Int) {
        self.base = base
        self.count = count
    }

    /// A view of nothing.
    public static var empty: View { View(MutableView.empty) }

    /// A read-only view of the same elements.
    @inlinable
    public init(_ view: MutableView<Element>) {
        self.init(UnsafePointer(view.base), count: view.count)
    }

    /// The element at `index`; bounds are checked in debug builds only.
    @inlinable
    public subscript(index: Int) -> Element {
        assert(index >= 0 && index < count, "index \(index) of \(count)")
        return base[index]
    }

    /// The elements as a buffer, for reading and writing in bulk.
    @inlinable
    public var buffer: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: base, count: count) }
}

/// The plain, writable window on a tensor's elements; see ``View``.
@frozen
public struct MutableView<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
    /// The address of the first element.
    public let base: UnsafeMutablePointer<Element>
    /// The number of elements.
    public let count: Int

    /// A view of `count` elements at `base`.
    @inlinable
    public init(_ base: UnsafeMutablePointer<Element>, count: Int) {
        self.base = base
        self.count = count
    }

    /// A view of nothing; its address is aligned and never read.
    public static var empty: MutableView {
        MutableView(
            UnsafeMutableRawPointer(bitPattern: 64).unsafelyUnwrapped.assumingMemoryBound(to: Element.self), count: 0)
    }

    /// The element at `index`; bounds are checked in debug builds only.
    @inlinable
    public subscript(index: Int) -> Element {
        get {
            assert(index >= 0 && index < count, "index \(index) of \(count)")
            return base[index]
        }
        nonmutating set {
            assert(index >= 0 && index < count, "index \(index) of \(count)")
            base[index] = newValue
        }
        nonmutating _modify {
            assert(index >= 0 && index < count, "index \(index) of \(count)")
            yield &base[index]
        }
    }

    /// The elements as a buffer, for reading and writing in bulk.
    @inlinable
    public var buffer: UnsafeMutableBufferPointer<Element> { UnsafeMutableBufferPointer(start: base, count: count) }

    /// The elements of `range` as a view of their own.
    public func slice(_ range: Range<Int>) -> MutableView {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "\(range) of \(count)")
        return MutableView(base + range.lowerBound, count: range.count)
    }

    /// Sets every element to `value`.
    public func fill(_ value: Element) { Tensors.fill(buffer, value) }
}

/// A function of its own, for the compiler to specialize where the caller is generic.
@specialized(where Element == Float)
@specialized(where Element == Double)
private func fill<Element: BitwiseCopyable>(_ buffer: UnsafeMutableBufferPointer<Element>, _ value: Element) {
    buffer.update(repeating: value)
}
