@testable import Training
import Testing

/// The order in which a run meets the windows of its text.
struct WindowOrderTests {
    private func epoch(_ number: Int, of count: Int, isShuffled: Bool, seed: UInt64 = 3) -> [Int] {
        var order = WindowOrder(count: count, isShuffled: isShuffled, seed: seed)
        return (number * count..<(number + 1) * count).map { order.window(at: $0) }
    }

    @Test(arguments: [1, 2, 7, 100], [true, false])
    func everyWindowComesOnceInEachEpoch(count: Int, isShuffled: Bool) {
        var order = WindowOrder(count: count, isShuffled: isShuffled, seed: 3)
        let run = (0..<3 * count).map { order.window(at: $0) }
        for epoch in 0..<3 {
            let windows = run[epoch * count..<(epoch + 1) * count]
            #expect(windows.sorted() == Array(0..<count))
            // A run that is resumed there meets the same.
            #expect(self.epoch(epoch, of: count, isShuffled: isShuffled) == Array(windows))
        }
    }

    @Test func shuffledEpochsDiffer() {
        let first = epoch(0, of: 100, isShuffled: true)
        #expect(first != Array(0..<100))
        #expect(first != epoch(1, of: 100, isShuffled: true))
        #expect(first != epoch(0, of: 100, isShuffled: true, seed: 4))
        #expect(epoch(1, of: 100, isShuffled: false) == Array(0..<100))
    }

    /// A run may be resumed in the middle of an epoch, or go back.
    @Test func anyPositionCanBeAskedFor() {
        let (first, second) = (epoch(0, of: 7, isShuffled: true), epoch(1, of: 7, isShuffled: true))
        var order = WindowOrder(count: 7, isShuffled: true, seed: 3)
        #expect(order.window(at: 10) == second[3])
        #expect(order.window(at: 2) == first[2])
        #expect(order.window(at: 13) == second[6])
    }
}
