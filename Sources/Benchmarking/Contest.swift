import Foundation
import Platform

/// Two live workers that make the same call in turn.
package struct Contest {
    /// A block of calls lasts this long, or two calls if that is longer, or one that is long by itself.
    ///
    /// Many short blocks tell more than few long ones in the same time: what disturbs them hits few.
    static let block = 0.0003

    /// Shorter calls than this are made once untimed before a block: another process ran meanwhile, and caches and
    /// threads are cold. Longer ones would hardly show it.
    private static let warmed = 0.005

    /// So often within its budget a call gets new memory, where that is quickly made ready: where it lies is part of the
    /// noise.
    private static let placements = 6

    private let first, second: Worker
    private let task: KernelTask
    private var isQuicklyReady = true
    /// Added to the first's calls, for the self-test.
    private let slowdown: Double
    private let calls: (first: Int, second: Int)
    /// The seconds that a quartet takes, about.
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
        // Before several a worker makes one that does not count.
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
