import Foundation
import Tensors

/// The statistics of repeated measurements.
public enum Statistics {
    /// The value below which a fraction `p` of the values lies, interpolated; NaN for none.
    public static func quantile(_ values: [Double], _ p: Double) -> Double { quantile(sorted: values.sorted(), p) }

    private static func quantile(sorted: [Double], _ p: Double) -> Double {
        guard !sorted.isEmpty else { return .nan }
        let position = p * Double(sorted.count - 1)
        let lower = Int(position)
        let upper = min(lower + 1, sorted.count - 1)
        return sorted[lower] + (position - Double(lower)) * (sorted[upper] - sorted[lower])
    }

    /// The middle value.
    public static func median(_ values: [Double]) -> Double { quantile(values, 0.5) }

    /// A robust standard deviation: 1.4826 times the median distance from the median.
    public static func deviation(_ values: [Double]) -> Double {
        let middle = median(values)
        return 1.4826 * median(values.map { abs($0 - middle) })
    }

    /// A 95 % interval of the median, by the percentiles of 2,000 resamples.
    ///
    /// Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.
    public static func interval(ofMedian values: [Double], seed: UInt64 = 1) -> (low: Double, high: Double) {
        // Drawn ranks of the sorted values: their median is the value at the median rank.
        let sorted = values.sorted()
        var generator = SplitMix64(state: seed)
        var counts = [Int](repeating: 0, count: sorted.count)
        let medians = (0..<2000).map { _ in
            for i in counts.indices { counts[i] = 0 }
            for _ in counts.indices {
                counts[Int((generator.next() >> 32) &* UInt64(counts.count)) >> 32] += 1
            }
            return median(sorted, counts)
        }
        return (quantile(medians, 0.025), quantile(medians, 0.975))
    }

    /// The median of the sorted values, each taken as often as `counts` says.
    private static func median(_ sorted: [Double], _ counts: [Int]) -> Double {
        let total = sorted.count
        var passed = 0
        var lower: Double?
        for (value, count) in zip(sorted, counts) {
            passed += count
            if lower == nil, passed > (total - 1) / 2 { lower = value }
            if passed > total / 2 { return ((lower ?? value) + value) / 2 }
        }
        return .nan
    }

    /// The probability that at least `successes` of `trials` fair coins show heads: the sign test's p-value.
    public static func signTest(_ successes: Int, of trials: Int) -> Double {
        guard successes > 0 else { return 1 }
        let all = lgamma(Double(trials + 1)) - Double(trials) * log(2)
        let sum = (successes...max(trials, successes)).reduce(0.0) { sum, k in
            sum + exp(all - lgamma(Double(k + 1)) - lgamma(Double(trials - k + 1)))
        }
        return min(sum, 1)
    }

    /// The probability that Student's t with so many degrees of freedom, at least 1, is at least `t`.
    ///
    /// With θ = atan(t/√ν) and c = cos²θ the probability that |t| is smaller is a finite sum of powers of c:
    ///
    ///     odd ν:   2/π (θ + sin θ cos θ (1 + 2/3 c + 2·4/(3·5) c² + …)),   ν even:   sin θ (1 + 1/2 c + 1·3/(2·4) c² + …)
    ///
    /// Source: Abramowitz and Stegun 1964, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    public static func studentTail(_ t: Double, degrees: Int) -> Double {
        let θ = atan(t / Double(degrees).squareRoot())
        let c = cos(θ) * cos(θ)
        let isOdd = !degrees.isMultiple(of: 2)
        var (sum, term) = (0.0, 1.0)
        for k in 0..<degrees / 2 {
            sum += term
            term *= c * Double(2 * k + (isOdd ? 2 : 1)) / Double(2 * k + (isOdd ? 3 : 2))
        }
        let within = isOdd ? 2 / .pi * (θ + sin(θ) * cos(θ) * sum) : sin(θ) * sum
        return (1 - within) / 2
    }

    /// The mean of at least two values, and its standard error.
    private static func mean(_ values: [Double]) -> (mean: Double, error: Double) {
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (mean, (squares / (count - 1) / count).squareRoot())
    }

    /// A 95 % interval of the mean of at least two normal values.
    public static func interval(ofMean values: [Double]) -> (low: Double, high: Double) {
        let (mean, error) = mean(values)
        // The t beyond which 2.5 % lie, by halving.
        var (low, high) = (0.0, 16.0)
        for _ in 0..<50 {
            let middle = (low + high) / 2
            if studentTail(middle, degrees: values.count - 1) > 0.025 { low = middle } else { high = middle }
        }
        return (mean - high * error, mean + high * error)
    }

    /// The probability of a mean so far above `limit`, or farther, were the true one there: the t-test's p-value of at
    /// least two normal values.
    public static func tTest(_ values: [Double], above limit: Double) -> Double {
        let (mean, error) = mean(values)
        if error == 0 { return mean > limit ? 0 : 1 }
        return studentTail((mean - limit) / error, degrees: values.count - 1)
    }

    /// The p-values of a family, adjusted so that the chance of one false rejection in all is what each says.
    ///
    /// Source: Holm 1979, A simple sequentially rejective multiple test procedure.
    public static func holm(_ values: [Double]) -> [Double] {
        let order = values.indices.sorted { values[$0] < values[$1] }
        var adjusted = values
        var largest = 0.0
        for (rank, index) in order.enumerated() {
            largest = max(largest, min(values[index] * Double(values.count - rank), 1))
            adjusted[index] = largest
        }
        return adjusted
    }
}
