import Kernels
import Synchronization
import Testing

struct WorkersTests {
    /// However many are asked for, each thread that there is runs once, and none is waited for that never comes.
    @Test(arguments: [1, 2, 5, 100_000])
    func onEachThread(_ count: Int) {
        let runs = Atomic<Int>(0)
        Workers(count: count).onEachThread { runs.add(1, ordering: .relaxed) }
        // One alone where the others are busy with another test.
        #expect((1...min(count, Workers.most)).contains(runs.load(ordering: .relaxed)))
    }

    @Test(arguments: [1, 3, 100_000])
    func eachTaskRunsOnce(_ count: Int) {
        let sum = Atomic<Int>(0)
        Workers(count: count).forEach(1000) { sum.add($0, ordering: .relaxed) }
        #expect(sum.load(ordering: .relaxed) == 499_500)
    }
}
