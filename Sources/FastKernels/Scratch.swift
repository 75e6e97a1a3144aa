import Synchronization
import Tensors

/// Memory for what a kernel packs or gathers, kept for the next call: a step allocates nothing once it has run.
final class Scratch: Sendable {
    private let free = Mutex<[MutableView<Float>]>([])
    private let count: Int

    /// Pieces of `count` elements.
    init(count: Int) { self.count = count }

    /// Runs `body` with a piece that no one else has; its contents are arbitrary.
    @inline(__always)
    func withPiece<Result>(_ body: (MutableView<Float>) -> Result) -> Result {
        let piece = free.withLock { $0.popLast() } ?? makePiece()
        defer { free.withLock { $0.append(piece) } }
        return body(piece)
    }

    private func makePiece() -> MutableView<Float> {
        let bytes = UnsafeMutableRawPointer.allocate(
            byteCount: count * MemoryLayout<Float>.stride, alignment: Tensor<Float>.alignment)
        return MutableView(bytes.bindMemory(to: Float.self, capacity: count), count: count)
    }
}
