import Foundation
import Synchronization
import Tensors

/// Memory for what a kernel packs or gathers, kept for the next call: a step allocates nothing once it has run.
enum Scratch {
    private final class Piece: Sendable {
        let elements: Tensor<Float>
        init(count: Int) { elements = Tensor(repeating: 0, count: count) }
    }

    /// Free pieces, by the logarithm of their size.
    private final class Shelf: Sendable {
        let free = Mutex<[[Piece]]>(Array(repeating: [], count: Int.bitWidth))
    }

    /// Several, so that threads seldom wait for each other.
    private static let shelves = (0..<16).map { _ in Shelf() }

    /// Runs `body` with `count` elements that no one else has; what they hold is arbitrary.
    @inline(__always)
    static func with<Result>(_ count: Int, _ body: (MutableView<Float>) -> Result) -> Result {
        let size = Int.bitWidth - (max(count, 1) - 1).leadingZeroBitCount
        // Threads' stacks lie a mebibyte apart, and so do what they are told by.
        let shelf = shelves[Int(bitPattern: UInt(pthread_self()) >> 20) & 15]
        let piece = shelf.free.withLock { $0[size].popLast() } ?? Piece(count: 1 << size)
        defer { shelf.free.withLock { $0[size].append(piece) } }
        return body(piece.elements.view)
    }
}
