import Accuracy
import Foundation
import Tensors
import Testing

/// The error of a tensor against bounds and bands.
struct ErrorMeasureTests {
    @Test func worstElementByItsBound() {
        var measure = ErrorMeasure()
        // The largest error is not the worst: its bound is wide.
        measure.add(index: 10, actual: 101, torch: 100.5, truth: 100, bound: 10)
        measure.add(index: 11, actual: 2.5, torch: nil, truth: 2, bound: 0.25)
        measure.add(index: 12, actual: -3, torch: -3, truth: -3, bound: 1)
        #expect(measure.count == 3 && measure.worst == 2 && measure.worstIndex == 11)
        #expect(measure.actual == 2.5 && measure.expected == 2 && measure.bound == 0.25)
        #expect(measure.ulps == 0.5 / Double(Float(2).ulp))
        #expect(abs(measure.rmse - (1.25 / 3).squareRoot()) < 1e-15)
        #expect(abs(measure.torchRMSE - (0.25 / 3).squareRoot()) < 1e-15)
        #expect(abs(measure.truthRMS - (10_013.0 / 3).squareRoot()) < 1e-12)
    }

    /// The first of those that are equally wrong is shown.
    @Test func firstOfTheWorst() {
        var measure = ErrorMeasure()
        for (index, actual) in [1.0, 3, 3, 2].enumerated() {
            measure.add(index: index, actual: actual, torch: nil, truth: 1, bound: 1)
        }
        #expect(measure.worst == 2 && measure.worstIndex == 1)
    }

    @Test func nothingMeasured() {
        let measure = ErrorMeasure()
        #expect(measure.count == 0 && measure.rmse == 0 && measure.worst == 0)
    }

    /// NaN is beyond every bound, wherever it stands among others.
    @Test(arguments: [Double.nan, .infinity, -.infinity], [0, 1, 1e300, .infinity])
    func notANumberIsBeyondEveryBound(_ wrong: Double, bound: Double) {
        for place in 0..<3 {
            var measure = ErrorMeasure()
            for index in 0..<3 {
                measure.add(index: index, actual: index == place ? wrong : 1, torch: 1, truth: 1, bound: bound)
            }
            #expect(measure.worst == .infinity && measure.worstIndex == place)
            #expect(!(measure.rmse <= 1e300))
        }
    }

    @Test(arguments: [
        (Double.infinity, Double.infinity, true), (-.infinity, -.infinity, true), (.infinity, -.infinity, false),
        (1, .infinity, false), (.nan, .infinity, false), (.infinity, 1, false), (0, -0.0, true), (.nan, .nan, false),
    ])
    func infinitiesAreRightWhereTheTruthIsTheSame(_ actual: Double, _ truth: Double, isRight: Bool) {
        let fraction = ErrorMeasure.fraction(ErrorMeasure.error(actual, truth), of: 1)
        #expect((fraction <= 1) == isRight && fraction == (isRight ? 0 : .infinity))
    }

    /// A bound of 0 asks for the truth exactly.
    @Test func exactly() {
        #expect(ErrorMeasure.fraction(ErrorMeasure.error(0.1, 0.1), of: 0) == 0)
        #expect(ErrorMeasure.fraction(ErrorMeasure.error(0.1.nextUp, 0.1), of: 0) == .infinity)
        // A bound that is no number holds for nothing that is not exact.
        #expect(ErrorMeasure.fraction(1e-300, of: .nan) == .infinity)
    }
}

/// How far a run of the whole model may be from the truth.
struct BandTests {
    /// A measure of `count` elements with errors of those root mean squares, normally distributed.
    private func measure(_ count: Int, error: Double, torch: Double, truth: Double = 1, seed: UInt64 = 1)
        -> ErrorMeasure
    {
        var (generator, measure) = (SplitMix64(state: seed), ErrorMeasure())
        for index in 0..<count {
            measure.add(
                index: index, actual: truth + error * generator.normal(), torch: truth + torch * generator.normal(),
                truth: truth, bound: 1)
        }
        return measure
    }

    private func holds(_ measure: ErrorMeasure, roundings: Int = 1) -> Bool {
        measure.rmse <= Band.bound(measure, roundings: roundings)
    }

    @Test func growsWithTheErrorOfPyTorch() {
        let bounds = [0, 1e-6, 2e-6, 1e-3].map { Band.bound(measure(10_000, error: 0, torch: $0), roundings: 1) }
        #expect(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 })
        // In large tensors, twice PyTorch's; with 6/√N for chance.
        let large = measure(10_000, error: 0, torch: 1e-3)
        let expected = 2 * exp(0.06) * large.torchRMSE
        #expect(abs(Band.bound(large, roundings: 1) - expected) < 1e-6)
    }

    /// Where PyTorch is exact, roundings that add up at random are still allowed, and no more.
    @Test(arguments: [1, 4, 100])
    func floorOfRoundings(_ roundings: Int) {
        let floor = Band.bound(measure(100, error: 0, torch: 0, truth: 8), roundings: roundings)
        #expect(abs(floor - 8 * 0x1p-24 * Double(roundings).squareRoot()) < 1e-12)
        #expect(Band.bound(measure(100, error: 0, torch: 0, truth: 0), roundings: roundings) == 0)
        #expect(Band.bound(measure(100, error: 0, torch: 0), roundings: 0) == 0x1p-24)
    }

    /// Two right runs differ by chance, the more the fewer elements there are; one with three times the error fails.
    @Test(arguments: [2, 10, 100, 10_000])
    func chance(_ count: Int) {
        for seed in 1...200 as ClosedRange<UInt64> {
            #expect(holds(measure(count, error: 1e-3, torch: 1e-3, seed: seed)))
        }
        if count >= 10_000 { #expect(!holds(measure(count, error: 3e-3, torch: 1e-3))) }
    }

    /// Neither of ours, nor where PyTorch's is none: then nothing is known.
    @Test(arguments: [(Double.nan, 1.0), (.infinity, 1), (-.infinity, 1), (.nan, .nan), (.nan, .infinity), (1, .nan)])
    func neverAcceptsNaN(_ actual: Double, torch: Double) {
        var measure = measure(100, error: 1e-6, torch: 1e-6)
        measure.add(index: 100, actual: actual, torch: torch, truth: 1, bound: 1)
        #expect(!holds(measure))
    }
}
