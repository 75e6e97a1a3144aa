import Synchronization
import Tensors

/// Memory for what a kernel packs or gathers, kept for the next call: a step allocates nothing once it has run.
enum Scratch {
    private final class Piece: Sendable {
        let elements: Tensor<Float>
        init(count: Int) { elements = Tensor(repeating: 0, count: count) }
    }

    /// Free pieces, by the logarithm of their size.
    private static let free = Mutex<[[Piece]]>(Array(repeating: [], count: Int.bitWidth))

    /// Runs `body` with `count` elements that no one else has; what they hold is arbitrary.
    @inline(__always)
    static func with<Result>(_ count: Int, _ body: (MutableView<Float>) -> Result) -> Result {
        let size = Int.bitWidth - (max(count, 1) - 1).leadingZeroBitCount
        let piece = free.withLock { $0[size].popLast() } ?? Piece(count: 1 << size)
        defer { free.withLock { $0[size].append(piece) } }
        return body(piece.elements.view)
    }
}
