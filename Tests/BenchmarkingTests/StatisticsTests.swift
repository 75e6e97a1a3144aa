import Benchmarking
import Tensors
import Testing

struct StatisticsTests {
    @Test func quantiles() {
        #expect(Statistics.median([3, 1, 2]) == 2)
        #expect(Statistics.median([4, 1, 2, 3]) == 2.5)
        #expect(Statistics.quantile([0, 10], 0.25) == 2.5)
        #expect(Statistics.median([]).isNaN)
    }

    /// Of many samples from a known distribution, about 95 in 100 intervals hold its median.
    @Test func intervalCovers() {
        var draw = SplitMix64(state: 11)
        let held = (0..<200).count { _ in
            let sample = (0..<40).map { _ in draw.normal() }
            let interval = Statistics.interval(ofMedian: sample)
            return interval.low <= 0 && 0 <= interval.high
        }
        #expect((180...200).contains(held))
    }

    @Test func speedup() {
        var samples = PairedSamples()
        // The machine slows down by half in the middle; the ratio does not.
        for i in 0..<20 {
            let load = i < 10 ? 1.0 : 1.5
            samples.add(candidate: 2 * load, base: 5 * load)
        }
        #expect(abs(samples.speedup.median - 2.5) < 1e-12)
        #expect(abs(samples.speedup.low - 2.5) < 1e-12 && abs(samples.speedup.high - 2.5) < 1e-12)
    }
}
