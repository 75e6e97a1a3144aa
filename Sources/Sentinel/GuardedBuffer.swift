import CSentinel
import Foundation
import Synchronization
import Tensors

/// Memory for one argument of a kernel that is not trusted, which shows what the kernel does beside it:
///
///     guard page | red zone | elements | red zone | guard page
///
/// A red zone holds a known pattern, so that a write into it shows when it is looked at. A guard page cannot be accessed at
/// all, and the elements of an input cannot be written while a kernel runs: an access raises a signal, which is noted before
/// the access is let through. The memory is shared with child processes; each process closes pages for itself.
public final class GuardedBuffer: Sendable {
    /// Where the elements lie between the guard pages.
    public enum Placement: CaseIterable {
        /// On a cache line, as in a model, with a red zone on either side: writes close by are seen, reads are not.
        case aligned
        /// Right after the lower guard page: reads and writes before the start are seen.
        case atStart
        /// Right before the upper guard page: reads and writes past the end are seen. Aligned to an element, no more.
        case atEnd
    }

    /// The bytes of a red zone, at least; a multiple of every alignment.
    private static let zone = 1024
    /// What red zones hold: NaN as a float, -1 as a token.
    private static let pattern: UInt8 = 0xff

    /// A buffer that another may outlive.
    private struct Entry {
        weak var buffer: GuardedBuffer?
    }

    /// Every buffer that exists, by the address of its elements.
    private static let live = Mutex<[UInt: Entry]>([:])

    /// The arena that it lies in.
    public var arena: GuardedArena { space.arena }
    /// Whether it holds an input.
    public let isInput: Bool

    private let space: GuardedSpace
    /// All pages, the guards among them.
    private let pages: MutableView<UInt8>
    private let offset: Int
    private let byteCount: Int
    private let guards: [Int32]
    /// The watch of an input's own pages.
    private let own: Int32?

    /// The bytes of a buffer of that many, with all that is around it.
    static func mappedBytes(_ bytes: Int) -> Int { innerBytes(bytes) + 2 * page }

    /// The bytes between the guard pages.
    private static func innerBytes(_ bytes: Int) -> Int { (bytes + 2 * zone + page - 1) / page * page }

    private static var page: Int { GuardedArena.page }

    /// A buffer of `count` elements, uninitialized, placed so; next in `space`, which is one of its own unless given.
    ///
    /// - Throws: ``HarnessError`` where there is no memory for it.
    public init<Element: BitwiseCopyable & Sendable>(
        of type: Element.Type, count: Int, _ placement: Placement, isInput: Bool = false, in space: GuardedSpace? = nil
    ) throws(HarnessError) {
        byteCount = count * MemoryLayout<Element>.stride
        let inner = Self.innerBytes(byteCount)
        offset =
            switch placement {
            case .aligned: Self.page + Self.zone
            case .atStart: Self.page
            case .atEnd: Self.page + inner - byteCount
            }
        let space = if let space { space } else { try GuardedSpace(holding: byteCount) }
        let pages = space.take(Self.mappedBytes(byteCount))
        let mapping = UnsafeMutableRawPointer(pages.base)
        let handles = try Self.watch(
            [(mapping, Self.page, sentinel_guard), (mapping + Self.page + inner, Self.page, sentinel_guard)]
                + (isInput ? [(mapping + Self.page, inner, sentinel_input)] : []))
        (guards, own) = (Array(handles.prefix(2)), handles.dropFirst(2).first)
        (self.space, self.pages, self.isInput) = (space, pages, isInput)
        memset(mapping + Self.page, Int32(Self.pattern), inner)
        let elements = UInt(bitPattern: mapping + offset)
        Self.live.withLock { $0[elements] = Entry(buffer: self) }
        mprotect(mapping, Self.page, PROT_NONE)
        mprotect(mapping + Self.page + inner, Self.page, PROT_NONE)
    }

    /// Watches those pages; gives a handle for each.
    private static func watch(
        _ pages: [(start: UnsafeMutableRawPointer, bytes: Int, kind: sentinel_page)]
    ) throws(HarnessError) -> [Int32] {
        var handles: [Int32] = []
        for (start, bytes, kind) in pages {
            let handle = sentinel_watch(start, bytes, kind)
            guard handle >= 0 else {
                let reason = errno
                for handle in handles { sentinel_unwatch(handle) }
                throw HarnessError(refused: "a guard page", reason)
            }
            handles.append(handle)
        }
        return handles
    }

    private var mapping: UnsafeMutableRawPointer { UnsafeMutableRawPointer(pages.base) }

    deinit {
        let elements = UInt(bitPattern: mapping + offset)
        _ = Self.live.withLock { $0.removeValue(forKey: elements) }
        for handle in guards { sentinel_unwatch(handle) }
        if let own { sentinel_unwatch(own) }
        // The arena's next buffer may lie here.
        mprotect(mapping, pages.count, PROT_READ | PROT_WRITE)
    }

    /// The buffer whose elements begin at that address; nil where none does.
    public static func at(_ base: UnsafeRawPointer) -> GuardedBuffer? {
        let elements = UInt(bitPattern: base)
        return live.withLock { $0[elements]?.buffer }
    }

    /// The pages that are closed while a kernel runs.
    public func protection(asInput: Bool) -> PageProtection {
        let start = UInt(bitPattern: mapping)
        return PageProtection(addresses: start..<start + UInt(pages.count), isInput: asInput)
    }

    /// Runs `body`, in which writes to inputs among the buffers are noted, in this process.
    public static func protecting<R>(_ buffers: [GuardedBuffer], _ body: () -> R) -> R {
        for buffer in buffers where buffer.isInput { buffer.protectElements(PROT_READ) }
        defer { for buffer in buffers where buffer.isInput { buffer.protectElements(PROT_READ | PROT_WRITE) } }
        return body()
    }

    private func protectElements(_ protection: Int32) {
        mprotect(mapping + Self.page, pages.count - 2 * Self.page, protection)
    }

    /// The elements, which must be of the type that the buffer was made for.
    public func view<Element>(of type: Element.Type) -> MutableView<Element> {
        let base = (mapping + offset).assumingMemoryBound(to: type)
        return MutableView(base, count: byteCount / MemoryLayout<Element>.stride)
    }

    /// The elements' bytes.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: mapping + offset, count: byteCount) }

    /// Everything between the guard pages, as it is now.
    public var content: [UInt8] {
        Array(UnsafeRawBufferPointer(start: mapping + Self.page, count: pages.count - 2 * Self.page))
    }

    /// What the kernel did to the argument that it must not: changed an input that began as `original`, or wrote to it and
    /// put it back, or left its bounds.
    public func offences(asInput original: UnsafeRawBufferPointer?) -> [String] {
        let isChanged = original.map { !$0.hasSameBytes(as: bytes) } ?? false
        let isWritten = firstWrite.map { (0..<byteCount).contains($0) } ?? false
        let write = isChanged ? "the kernel changed its input" : isWritten ? "the kernel wrote to its input" : nil
        return [write, trespass].compactMap(\.self)
    }

    /// Where, from its first element on, an input was written to first while it was protected; nil if it was not.
    private var firstWrite: Int? {
        guard let own else { return nil }
        var byte = 0
        guard sentinel_touched(own, &byte) != sentinel_untouched else { return nil }
        return byte + Self.page - offset
    }

    /// How the kernel left the argument's bounds, if it did.
    public var trespass: String? {
        for (handle, side) in zip(guards, ["before the argument's start", "past the argument's end"]) {
            var byte = 0
            switch sentinel_touched(handle, &byte) {
            case sentinel_written: return "the kernel wrote \(side)"
            case sentinel_read:
                return sentinel_tells_writes() != 0 ? "the kernel read \(side)" : "the kernel went \(side)"
            default: break
            }
        }
        let inner = UnsafeRawBufferPointer(start: mapping + Self.page, count: pages.count - 2 * Self.page)
        let start = offset - Self.page
        func isIntact(_ zone: Slice<UnsafeRawBufferPointer>) -> Bool { zone.allSatisfy { $0 == Self.pattern } }
        let write = firstWrite ?? 0
        if write < 0 || !isIntact(inner[..<start]) { return "the kernel wrote before the argument's start" }
        if write > byteCount || !isIntact(inner[(start + byteCount)...]) {
            return "the kernel wrote past the argument's end"
        }
        return nil
    }
}
