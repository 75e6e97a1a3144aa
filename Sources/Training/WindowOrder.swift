import Tensors

/// Which window of the text comes when: all of them once in each epoch.
///
/// The order follows from the seed and the number of the window alone, so that a resumed run goes on where it stopped.
struct WindowOrder {
    /// The windows of an epoch.
    let count: Int
    private let isShuffled: Bool
    private let seed: UInt64
    private var epoch = -1
    private var order: [Int] = []

    /// An order of `count` windows.
    init(count: Int, isShuffled: Bool, seed: UInt64) {
        self.count = count
        self.isShuffled = isShuffled
        self.seed = seed
    }

    /// The `position`-th window of the run, from 0.
    mutating func window(at position: Int) -> Int {
        guard isShuffled else { return position % count }
        if position / count != epoch {
            epoch = position / count
            var mixer = SplitMix64(state: seed)
            var generator = SplitMix64(state: mixer.next() &+ UInt64(epoch))
            order = Array(0..<count).shuffled(using: &generator)
        }
        return order[position % count]
    }
}
