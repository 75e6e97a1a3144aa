import Foundation
import Reporting

/// Times of two contestants, taken in the order A B B A: what drifts slowly cancels within each such quartet.
///
/// The four times of a quartet give one logarithm of a ratio, ½·(ln A₁/B₁ + ln A₂/B₂). What the caches hold depends on
/// who ran before; in a quartet each runs once before and once after the other, so that this cancels too.
public struct PairedSamples: Sendable {
    /// A's times in seconds, two for each quartet.
    public private(set) var first: [Double] = []
    /// B's.
    public private(set) var second: [Double] = []
    /// The logarithm of A's time over B's, one for each quartet.
    public private(set) var logarithms: [Double] = []

    /// No samples yet.
    public init() {}

    /// Adds a quartet.
    public mutating func add(_ a1: Double, _ b1: Double, _ b2: Double, _ a2: Double) {
        first += [a1, a2]
        second += [b1, b2]
        logarithms.append((log(a1 / b1) + log(a2 / b2)) / 2)
    }

    /// Adds the quartets of `other`.
    public mutating func append(_ other: PairedSamples) {
        first += other.first
        second += other.second
        logarithms += other.logarithms
    }

    /// The quartets of both.
    func appending(_ other: PairedSamples) -> PairedSamples {
        var both = self
        both.append(other)
        return both
    }

    /// The quartets.
    public var count: Int { logarithms.count }

    /// A's time over B's: the median over quartets, with its 95 % interval. The interval of fewer than six is their
    /// range.
    public var ratio: Ratio {
        let interval =
            count < 6
            ? (low: logarithms.min() ?? .nan, high: logarithms.max() ?? .nan)
            : Statistics.interval(ofMedian: logarithms)
        return Ratio(
            median: exp(Statistics.median(logarithms)), low: exp(interval.low), high: exp(interval.high))
    }

    /// The quartets that would give an interval of the logarithm no wider than `width`.
    ///
    /// The median of n has standard deviation 1.25·s/√n, and 95 % lie within 1.96 of it to either side: (4.9·s/width)².
    public func quartetsNeeded(for width: Double) -> Int {
        let root = 4.9 * Statistics.deviation(logarithms) / width
        return Int(min((root * root).rounded(.up), 1e6))
    }
}

extension PairedSamples {
    /// What the quartets say, where two runs of the same code differ by up to `margin`; of fewer than six, nothing.
    package func verdict(margin: Double) -> BenchmarkReport.SpeedVerdict {
        count < 6 ? .unsure : .init(ratio, margin: margin)
    }

    /// The quartets to add for an interval half as wide as the margin, at least 10.
    func morePairs(for margin: Double) -> Int { max(quartetsNeeded(for: margin / 2) - count, 10) }

    /// Whether quartets from fresh processes agree that A is slower: their middle is beyond the margin, and their
    /// interval above 1.
    package func agrees(margin: Double) -> Bool { ratio.median > 1 + margin && ratio.low > 1 }
}

/// A ratio of times with its 95 % interval: above 1 is slower.
public struct Ratio: Sendable, Hashable {
    /// The median of the paired ratios.
    public var median: Double
    /// The interval's ends.
    public var low, high: Double

    /// A ratio.
    public init(median: Double, low: Double, high: Double) {
        self.median = median
        self.low = low
        self.high = high
    }
}

extension BenchmarkReport.SpeedVerdict {
    /// The verdict on `ratio`, where two runs of the same code differ by up to `margin`, such as 0.02.
    public init(_ ratio: Ratio, margin: Double) {
        let (low, high) = (1 / (1 + margin), 1 + margin)
        if ratio.low > high {
            self = .slow
        } else if ratio.high < low {
            self = .fast
        } else if ratio.low >= low && ratio.high <= high {
            self = .same
        } else {
            self = .unsure
        }
    }
}
