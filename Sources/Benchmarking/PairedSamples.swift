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

    /// A's time over B's: the median over quartets, with its 95 % interval.
    ///
    /// Below six quartets even their whole range holds the median in fewer than 95 of 100 cases; there the interval is
    /// Student's, of the mean, as if the logarithms were normal. A single quartet has none.
    public var ratio: Ratio {
        let interval =
            switch count {
            case 0: (low: Double.nan, high: Double.nan)
            case 1: (low: logarithms[0], high: logarithms[0])
            case 2..<6: Statistics.interval(ofMean: logarithms)
            default: Statistics.interval(ofMedian: logarithms)
            }
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
    /// What the quartets say, where two runs of the same code differ by up to `margin`; of a single one, nothing.
    package func verdict(margin: Double) -> BenchmarkReport.SpeedVerdict {
        count < 2 ? .unsure : .init(ratio, margin: margin)
    }

    /// The chance of such quartets were A slower than B by no more than `margin`: by the sign test, or by the t-test where
    /// they are too few for that: twelve of twelve are 1 in 4,096, so that a family of kernels can still be judged.
    func p(margin: Double) -> Double {
        let limit = log(1 + margin)
        return switch count {
        case ..<2: 1
        case ..<12: Statistics.tTest(logarithms, above: limit)
        default: Statistics.signTest(logarithms.count { $0 > limit }, of: count)
        }
    }

    /// The quartets to add for an interval half as wide as the margin: at least 10, and as many as there are.
    func morePairs(for margin: Double) -> Int { max(quartetsNeeded(for: margin / 2) - count, count, 10) }

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
