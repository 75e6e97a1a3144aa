import Foundation
import Tensors

/// The statistics of repeated measurements.
public enum Statistics {
    /// The value below which a fraction `p` of the values lies, interpolated; NaN for none.
    public static func quantile(_ values: [Double], _ p: Double) -> Double {
        guard !values.isEmpty else { return .nan }
        let sorted = values.sorted()
        let position = p * Double(sorted.count - 1)
        let lower = Int(position)
        let upper = min(lower + 1, sorted.count - 1)
        return sorted[lower] + (position - Double(lower)) * (sorted[upper] - sorted[lower])
    }

    /// The middle value.
    public static func median(_ values: [Double]) -> Double { quantile(values, 0.5) }

    /// A 95 % interval of the median, by the percentiles of 2,000 resamples.
    ///
    /// Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.
    public static func interval(ofMedian values: [Double], seed: UInt64 = 1) -> (low: Double, high: Double) {
        var generator = SplitMix64(state: seed)
        let medians = (0..<2000).map { _ in
            median(values.indices.map { _ in values[Int.random(in: 0..<values.count, using: &generator)] })
        }
        return (quantile(medians, 0.025), quantile(medians, 0.975))
    }
}

/// Times of a candidate and a base, taken in turn.
public struct PairedSamples: Sendable {
    /// The candidate's times, in seconds.
    public private(set) var candidate: [Double] = []
    /// The base's times, each taken beside the candidate's of the same index.
    public private(set) var base: [Double] = []

    /// No samples yet.
    public init() {}

    /// Adds a pair.
    public mutating func add(candidate: Double, base: Double) {
        self.candidate.append(candidate)
        self.base.append(base)
    }

    /// How many times faster the candidate is: the median of the pairs' ratios, with its 95 % interval.
    public var speedup: (median: Double, low: Double, high: Double) {
        let logarithms = zip(base, candidate).map { log($0 / $1) }
        let interval = Statistics.interval(ofMedian: logarithms)
        return (exp(Statistics.median(logarithms)), exp(interval.low), exp(interval.high))
    }

    /// Takes pairs in the order A B B A until `budget` seconds are spent, at least `least` and at most `most` of them.
    public static func measure(
        least: Int = 4, most: Int = 60, budget: Double, candidate: () -> Void, base: () -> Void
    ) -> PairedSamples {
        candidate()
        base()
        var samples = PairedSamples()
        var spent = 0.0
        while samples.base.count < least || (spent < budget && samples.base.count < most) {
            let a1 = seconds(candidate)
            let b1 = seconds(base)
            let b2 = seconds(base)
            let a2 = seconds(candidate)
            samples.add(candidate: a1, base: b1)
            samples.add(candidate: a2, base: b2)
            spent += a1 + b1 + b2 + a2
        }
        return samples
    }
}
