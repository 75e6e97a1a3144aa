import Synchronization
import Tensors

/// Memory for what a kernel packs or gathers, kept for the next call: a step allocates nothing once it has run.
final class Scratch: Sendable {
    private final class Piece: Sendable {
        let elements: Tensor<Float>
        init(count: Int) { elements = Tensor(repeating: 0, count: count) }
    }

    private let free = Mutex<[Piece]>([])
    private let count: Int

    /// Pieces of `count` elements.
    init(count: Int) { self.count = count }

    /// Runs `body` with a piece that no one else has; its contents are arbitrary.
    @inline(__always)
    func withPiece<Result>(_ body: (MutableView<Float>) -> Result) -> Result {
        let piece = free.withLock { $0.popLast() } ?? Piece(count: count)
        defer { free.withLock { $0.append(piece) } }
        return body(piece.elements.view)
    }
}
