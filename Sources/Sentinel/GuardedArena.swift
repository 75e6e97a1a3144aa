import Foundation
import Synchronization
import Tensors

/// Memory that child processes share, in which the arguments of one call after another lie: a process that began while the
/// arena was there sees all of them.
public final class GuardedArena: Sendable {
    let pages: MutableView<UInt8>
    /// The stretches in use, in order.
    private let taken = Mutex<[Range<Int>]>([])

    static let page = Int(getpagesize())

    /// An arena of that many bytes, a multiple of the page.
    ///
    /// - Throws: ``HarnessError`` where there is no memory for it.
    init(bytes: Int) throws(HarnessError) {
        let flags = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE
        guard let mapping = mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, -1, 0), mapping != MAP_FAILED else {
            throw HarnessError(refused: "guarded memory of \(bytes) bytes", errno)
        }
        pages = MutableView(mapping.assumingMemoryBound(to: UInt8.self), count: bytes)
    }

    deinit { munmap(pages.base, pages.count) }

    /// All of its memory.
    public var addresses: Range<UInt> {
        let start = UInt(bitPattern: pages.base)
        return start..<start + UInt(pages.count)
    }

    // MARK: - Arenas that stay

    /// What most calls fit in; less where addresses are limited (`ulimit -v`). Only what is touched takes up memory.
    private static var usual: Int { rlimit.soft(RLIMIT_AS) == rlim_t.max ? 64 << 20 : 4 << 20 }
    /// By what they are for; nil where the system has no room for one.
    private static let standing = Mutex<[String: GuardedArena?]>([:])

    /// The arena that stays for calls of that name; nil where there is no room for it.
    static func standing(for name: String) -> GuardedArena? {
        standing.withLock { arenas in
            if let known = arenas[name] { return known }
            let arena = try? GuardedArena(bytes: usual)
            arenas[name] = arena
            return arena
        }
    }

    // MARK: - Stretches

    /// The place of the first stretch of that many bytes that is free; nil if there is none.
    fileprivate func take(_ bytes: Int) -> Int? {
        taken.withLock { taken in
            var start = 0
            for (index, range) in taken.enumerated() {
                if range.lowerBound - start >= bytes {
                    taken.insert(start..<start + bytes, at: index)
                    return start
                }
                start = range.upperBound
            }
            guard pages.count - start >= bytes else { return nil }
            taken.append(start..<start + bytes)
            return start
        }
    }

    fileprivate func free(_ range: Range<Int>) {
        // What was large goes back to the system.
        if range.count >= 8 << 20 { madvise(pages.base + range.lowerBound, range.count, MADV_REMOVE) }
        taken.withLock { $0.removeAll { $0 == range } }
    }
}

/// A stretch of an arena, for the buffers of one call.
public final class GuardedSpace: Sendable {
    /// Where it lies.
    public let arena: GuardedArena
    private let range: Range<Int>
    private let next: Atomic<Int>

    /// Room for buffers of those bytes each, in the arena that stays for calls of that name, or in one of its own where
    /// that is full.
    ///
    /// - Throws: ``HarnessError`` where there is no memory for it.
    public init(for name: String, holding bytes: [Int]) throws(HarnessError) {
        let total = bytes.reduce(0) { $0 + GuardedBuffer.mappedBytes($1) }
        if let standing = GuardedArena.standing(for: name), let start = standing.take(total) {
            (arena, range) = (standing, start..<start + total)
        } else {
            (arena, range) = (try GuardedArena(bytes: total), 0..<total)
        }
        next = Atomic(range.lowerBound)
    }

    /// Room for one buffer, in an arena of its own.
    init(holding bytes: Int) throws(HarnessError) {
        let total = GuardedBuffer.mappedBytes(bytes)
        (arena, range) = (try GuardedArena(bytes: total), 0..<total)
        next = Atomic(0)
    }

    deinit { arena.free(range) }

    /// The pages of the next buffer.
    func take(_ bytes: Int) -> MutableView<UInt8> {
        let start = next.wrappingAdd(bytes, ordering: .relaxed).oldValue
        precondition(start + bytes <= range.upperBound, "a call has larger arguments than it said")
        return arena.pages.slice(start..<start + bytes)
    }
}
