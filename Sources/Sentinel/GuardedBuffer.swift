import CSentinel
import Foundation
import Synchronization
import Tensors

/// Memory for one argument of a kernel that is not trusted, which shows what the kernel does beside it:
///
///     guard page | red zone | elements | red zone | guard page
///
/// A red zone holds a known pattern, so that a write into it shows when it is looked at. A guard page cannot be accessed at
/// all: a read or a write of it raises a signal, which is noted before the access is let through. The memory is shared with
/// child processes.
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
    private static let page = Int(getpagesize())

    /// Every buffer that exists, by the address of its elements. An address is used again after a buffer is gone, the
    /// number that tells buffers apart is not.
    private static let live = Mutex<(identities: [UInt: Int], next: Int)>(([:], 0))

    /// A number that no other buffer has, nor had.
    public let identity: Int
    /// All pages, the guards among them.
    private let pages: MutableView<UInt8>
    private let offset: Int
    private let byteCount: Int
    private let guards: [Int32]

    /// A buffer of `count` elements, uninitialized, placed so.
    ///
    /// - Throws: ``HarnessError`` where there is no memory for it.
    public init<Element: BitwiseCopyable & Sendable>(
        of type: Element.Type, count: Int, _ placement: Placement
    ) throws(HarnessError) {
        byteCount = count * MemoryLayout<Element>.stride
        let inner = (byteCount + 2 * Self.zone + Self.page - 1) / Self.page * Self.page
        let mappedBytes = inner + 2 * Self.page
        offset =
            switch placement {
            case .aligned: Self.page + Self.zone
            case .atStart: Self.page
            case .atEnd: Self.page + inner - byteCount
            }
        let mapping = try Self.map(mappedBytes)
        do throws(HarnessError) {
            guards = try Self.close([mapping, mapping + Self.page + inner])
        } catch {
            munmap(mapping, mappedBytes)
            throw error
        }
        pages = MutableView(mapping.assumingMemoryBound(to: UInt8.self), count: mappedBytes)
        memset(mapping + Self.page, Int32(Self.pattern), inner)
        let elements = UInt(bitPattern: mapping + offset)
        identity = Self.live.withLock {
            $0.next += 1
            $0.identities[elements] = $0.next
            return $0.next
        }
    }

    private static func map(_ bytes: Int) throws(HarnessError) -> UnsafeMutableRawPointer {
        guard
            let mapping = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0),
            mapping != MAP_FAILED
        else { throw HarnessError(refused: "guarded memory of \(bytes) bytes", errno) }
        return mapping
    }

    /// Closes the pages that begin at `starts`, and watches them; gives a handle for each.
    private static func close(_ starts: [UnsafeMutableRawPointer]) throws(HarnessError) -> [Int32] {
        var handles: [Int32] = []
        for start in starts {
            let handle = mprotect(start, page, PROT_NONE) == 0 ? sentinel_watch(start, page) : -1
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
        for handle in guards { sentinel_unwatch(handle) }
        let elements = UInt(bitPattern: mapping + offset)
        _ = Self.live.withLock { $0.identities.removeValue(forKey: elements) }
        munmap(mapping, pages.count)
    }

    /// The number of the buffer whose elements begin at that address; nil where none does.
    public static func identity(at base: UnsafeRawPointer) -> Int? {
        let elements = UInt(bitPattern: base)
        return live.withLock { $0.identities[elements] }
    }

    /// The elements, which must be of the type that the buffer was made for.
    public func view<Element>(of type: Element.Type) -> MutableView<Element> {
        let base = (mapping + offset).assumingMemoryBound(to: type)
        return MutableView(base, count: byteCount / MemoryLayout<Element>.stride)
    }

    /// The elements' bytes.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: mapping + offset, count: byteCount) }

    /// What the kernel did to the argument that it must not: changed an input that began as `original`, left its bounds.
    public func offences(asInput original: UnsafeRawBufferPointer?) -> [String] {
        let isChanged = original.map { !$0.hasSameBytes(as: bytes) } ?? false
        return [isChanged ? "the kernel changed its input" : nil, trespass].compactMap(\.self)
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
        if !isIntact(inner[..<start]) { return "the kernel wrote before the argument's start" }
        if !isIntact(inner[(start + byteCount)...]) { return "the kernel wrote past the argument's end" }
        return nil
    }
}
