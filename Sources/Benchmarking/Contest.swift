import Foundation
import Platform

/// Times the same call in two workers, in turn: A, B, B, A.
package struct Contest {
    /// How long a block of calls lasts, in seconds. A block is what is timed at once: as many calls as fit, and at least
    /// two; a call that takes longer than ``warmed`` is a block by itself.
    ///
    /// Short blocks, because a disturbance (an interrupt, another process) then spoils few of many.
    static let block = 0.0003

    /// A call that takes less than this, in seconds, is made once untimed before each block: the other worker ran
    /// meanwhile, and this one's data has left the caches. In a longer call that is lost in the noise.
    private static let warmed = 0.005

    /// How often within the budget both workers get new memory for the call. Where arguments lie changes a call's time by
    /// some percent, so a single placement would be taken for a difference between the workers.
    private static let placements = 6

    private let first, second: Worker
    private let task: KernelTask
    /// Whether preparing the call takes little of the budget; if not, the first placement has to do.
    private var isQuicklyReady = true
    /// The fraction by which the first worker's calls are made longer on purpose, for the self-test.
    private let slowdown: Double
    /// The calls in a block of each worker.
    private let calls: (first: Int, second: Int)
    /// The seconds that one A B B A takes, by the first calls.
    private(set) var expected = 0.0
    /// What was taken.
    package private(set) var samples = PairedSamples()

    /// A contest of two workers that are ready for `task`.
    package init(
        _ first: Worker, _ second: Worker, _ task: KernelTask, slowdown: Double = 0
    ) throws(WorkerError) {
        (self.first, self.second, self.task, self.slowdown) = (first, second, task, slowdown)
        let (a, b) = (try Self.calibrate(first), try Self.calibrate(second))
        calls = (a.calls, b.calls)
        expected = 2 * (a.seconds + b.seconds)
    }

    /// The calls that make a block, and the seconds that it takes.
    private static func calibrate(_ worker: Worker) throws(WorkerError) -> (calls: Int, seconds: Double) {
        let cold = try worker.time(calls: 1)
        guard cold < warmed else { return (1, cold) }
        let warm = max(try worker.time(calls: max(Int(block / cold), 2)), 1e-9)
        // A worker makes one more call before a block of several, untimed.
        let calls = max(Int((block / warm).rounded()), 2)
        return (calls, Double(calls + 1) * warm)
    }

    /// Takes quartets until `budget` seconds are spent, at least `least` and at most `most`.
    package mutating func measure(least: Int, most: Int, budget: Double) throws(WorkerError) {
        var (taken, spent, placed) = (0, 0.0, 0)
        while taken < most, taken < least || spent < budget {
            if isQuicklyReady, Int(spent / budget * Double(Self.placements)) > placed {
                placed += 1
                let start = ContinuousClock.now
                _ = try first.prepare(task)
                _ = try second.prepare(task)
                isQuicklyReady = start.secondsToNow < budget / 4
            }
            let start = ContinuousClock.now
            let a1 = try first.time(calls: calls.first, slowdown: slowdown)
            let b1 = try second.time(calls: calls.second)
            let b2 = try second.time(calls: calls.second)
            let a2 = try first.time(calls: calls.first, slowdown: slowdown)
            samples.add(a1, b1, b2, a2)
            taken += 1
            spent += start.secondsToNow
        }
    }
}
