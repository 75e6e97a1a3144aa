import Foundation

/// Two live workers that make the same call in turn.
struct Contest {
    /// A block of calls lasts this long, or one call if that is longer.
    ///
    /// Many short blocks tell more than few long ones in the same time: what disturbs them hits few.
    static let block = 0.0003

    private let first, second: WorkerProcess
    /// Added to the first's calls, for the self-test.
    private let slowdown: Double
    private let calls: (Int, Int)
    /// The seconds that a quartet takes, about.
    let expected: Double
    private(set) var samples = PairedSamples()

    /// A contest of two workers that are ready for the same call.
    init(_ first: WorkerProcess, _ second: WorkerProcess, slowdown: Double = 0) throws(WorkerError) {
        (self.first, self.second, self.slowdown) = (first, second, slowdown)
        let (a, b) = (try Self.calibrate(first), try Self.calibrate(second))
        calls = (a.calls, b.calls)
        expected = 2 * (a.seconds + b.seconds)
    }

    /// The calls that make a block, and the seconds that it takes.
    private static func calibrate(_ worker: WorkerProcess) throws(WorkerError) -> (calls: Int, seconds: Double) {
        let cold = try worker.time(calls: 1)
        guard cold < block * 20 else { return (1, cold) }
        let warm = max(try worker.time(calls: max(Int(block / cold), 2)), 1e-9)
        let calls = max(Int((block / warm).rounded()), 1)
        return (calls, Double(calls) * warm)
    }

    /// Takes quartets until `budget` seconds are spent, at least `least` and at most `most`.
    mutating func measure(least: Int, most: Int, budget: Double) throws(WorkerError) {
        let start = ContinuousClock.now
        var taken = 0
        while taken < most, taken < least || start.duration(to: .now) < .seconds(budget) {
            let a1 = try first.time(calls: calls.0, slowdown: slowdown)
            let b1 = try second.time(calls: calls.1)
            let b2 = try second.time(calls: calls.1)
            let a2 = try first.time(calls: calls.0, slowdown: slowdown)
            samples.add(a1, b1, b2, a2)
            taken += 1
        }
    }
}
