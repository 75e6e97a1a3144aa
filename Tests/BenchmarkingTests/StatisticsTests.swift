import Benchmarking
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
