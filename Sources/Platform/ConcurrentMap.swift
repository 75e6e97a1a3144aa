import Dispatch
import Synchronization

extension RandomAccessCollection where Self: Sendable, Element: Sendable {
    /// What `transform` makes of each element, on all processors.
    public func concurrentMap<Made: Sendable>(_ transform: @Sendable (Element) -> Made) -> [Made] {
        let made = Mutex<[Int: Made]>([:])
        DispatchQueue.concurrentPerform(iterations: count) { number in
            let one = transform(self[index(startIndex, offsetBy: number)])
            made.withLock { $0[number] = one }
        }
        return made.withLock { made in (0..<count).compactMap { made[$0] } }
    }
}
