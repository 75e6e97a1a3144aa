@testable import Benchmarking
import Foundation
import Reporting
import Tensors
import Testing

struct StatisticsTests {
    @Test func quantiles() {
        #expect(Statistics.median([3, 1, 2]) == 2)
        #expect(Statistics.median([4, 1, 2, 3]) == 2.5)
        #expect(Statistics.quantile([0, 10], 0.25) == 2.5)
        #expect(Statistics.median([]).isNaN)
        #expect(abs(Statistics.deviation([1, 2, 3, 4, 100]) - 1.4826) < 1e-12)
    }

    /// Of many samples from a known distribution, about 95 in 100 intervals hold its median.
    @Test func intervalCovers() {
        var draw = SplitMix64(state: 11)
        let held = (0..<200).count { _ in
            let sample = (0..<40).map { _ in draw.normal() }
            let interval = Statistics.interval(ofMedian: sample)
            return interval.low <= 0 && 0 <= interval.high
        }
        #expect((180..<200).contains(held))
    }

    @Test func driftCancels() {
        var samples = PairedSamples()
        // The machine slows down all the time, and who runs second is always 10 % slower; the ratio says neither.
        for i in 0..<20 {
            let load = 1 + 0.1 * Double(i)
            samples.add(5 * load, 2 * load * 1.1, 2 * load, 5 * load * 1.1)
        }
        let ratio = samples.ratio
        #expect(abs(ratio.median - 2.5) < 1e-12 && abs(ratio.low - 2.5) < 1e-12 && abs(ratio.high - 2.5) < 1e-12)
    }

    @Test(arguments: [
        (Ratio(median: 1.05, low: 1.03, high: 1.06), BenchmarkReport.SpeedVerdict.slow),
        (Ratio(median: 1.05, low: 1.01, high: 1.06), .unsure), (Ratio(median: 1, low: 0.99, high: 1.01), .same),
        (Ratio(median: 0.9, low: 0.89, high: 0.91), .fast), (Ratio(median: 0.9, low: 0.89, high: 0.99), .unsure),
        (Ratio(median: .nan, low: .nan, high: .nan), .unsure),
    ])
    func verdicts(_ ratio: Ratio, _ verdict: BenchmarkReport.SpeedVerdict) {
        #expect(BenchmarkReport.SpeedVerdict(ratio, margin: 0.02) == verdict)
    }

    /// Values of tables: Student 1908, and Abramowitz and Stegun, table 26.10.
    @Test(arguments: [(12.706, 1), (4.303, 2), (3.182, 3), (2.776, 4), (2.571, 5), (2.228, 10), (2.086, 20)])
    func studentTail(_ t: Double, _ degrees: Int) {
        #expect(abs(Statistics.studentTail(t, degrees: degrees) - 0.025) < 2e-5)
        #expect(abs(Statistics.studentTail(-t, degrees: degrees) - 0.975) < 2e-5)
        #expect(Statistics.studentTail(0, degrees: degrees) == 0.5)
    }

    /// About 95 of 100 intervals of a few normal values hold their mean.
    @Test(arguments: 2...5) func intervalOfMeanCovers(_ count: Int) {
        var draw = SplitMix64(state: 12)
        let held = (0..<1000).count { _ in
            let interval = Statistics.interval(ofMean: (0..<count).map { _ in draw.normal() })
            return interval.low <= 0 && 0 <= interval.high
        }
        #expect((930...970).contains(held), "\(held)")
    }

    /// Pairs of calls that take long are few; where they agree they decide, and where they do not they leave it open.
    @Test(arguments: [
        ([11.4, 12.6], BenchmarkReport.SpeedVerdict.slow), ([11.4, 11.7, 12.6], .slow), ([0.1, 0.102], .fast),
        ([0.1], .unsure), ([1.1, 3], .unsure), ([1.001, 0.999, 1.0005], .same), ([1.03, 1.05, 1.01], .unsure),
    ])
    func fewPairs(_ ratios: [Double], _ verdict: BenchmarkReport.SpeedVerdict) {
        var samples = PairedSamples()
        for ratio in ratios { samples.add(ratio, 1, 1, ratio) }
        #expect(samples.verdict(margin: 0.02) == verdict)
        let interval = samples.ratio
        #expect(interval.low <= interval.median && interval.median <= interval.high)
    }

    /// Twelve pairs that agree are significant among a hundred kernels, and so are a few that agree closely; one is not,
    /// nor are many that do not agree.
    @Test(arguments: [
        ([Double](repeating: 1.5, count: 12), true), ([1.5, 1.51, 1.49, 1.5], true), ([1.5], false),
        ([1.5, 1.6], false),
        ([1.5, 0.9, 1.4, 1.02, 1.1, 0.95, 1.2, 1, 1.3, 1.01, 1.6, 0.8, 1.5], false),
    ])
    func chances(_ ratios: [Double], _ isSignificant: Bool) {
        var samples = PairedSamples()
        for ratio in ratios { samples.add(ratio, 1, 1, ratio) }
        #expect((100 * samples.p(margin: 0.02) <= 0.05) == isSignificant, "\(samples.p(margin: 0.02))")
        #expect(samples.morePairs(for: 0.02) >= max(10, ratios.count))
    }

    @Test func tTest() {
        // Mean 2, standard error 1/√3: t² = 12; with two degrees of freedom the tail is (1 − t/√(2 + t²))/2.
        let tail = (1 - (12.0 / 14).squareRoot()) / 2
        #expect(abs(Statistics.tTest([1, 2, 3], above: 0) - tail) < 1e-12)
        #expect(Statistics.tTest([1, 1, 1], above: 0) == 0 && Statistics.tTest([1, 1], above: 2) == 1)
    }

    @Test func signTest() {
        #expect(abs(Statistics.signTest(9, of: 10) - 11.0 / 1024) < 1e-12)
        #expect(Statistics.signTest(0, of: 10) == 1)
        #expect(abs(Statistics.signTest(5, of: 10) - 638.0 / 1024) < 1e-12)
    }

    /// The example of Holm's procedure: 0.01, 0.02, 0.03 and 0.04 all become what the smallest needs.
    @Test func holm() {
        let adjusted = Statistics.holm([0.02, 0.01, 0.04, 0.03])
        #expect(zip(adjusted, [0.06, 0.04, 0.06, 0.06]).allSatisfy { abs($0 - $1) < 1e-12 })
        #expect(Statistics.holm([0.9, 0.001]) == [0.9, 0.002])
    }
}
