import Foundation

/// What a number of successes says of the probability behind it.
enum Binomial {
    /// The least probability of which so many successes of `tried` or more are to be expected once in 20 times.
    ///
    /// Source: Clopper and Pearson 1934, The use of confidence or fiducial limits illustrated in the case of the binomial.
    static func lowest(_ successes: Int, of tried: Int) -> Double {
        guard successes > 0 else { return 0 }
        var (low, high) = (0.0, 1.0)
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if atLeast(successes, of: tried, by: middle) < 0.05 { low = middle } else { high = middle }
        }
        return low
    }

    /// The probability of so many successes or more.
    private static func atLeast(_ successes: Int, of tried: Int, by probability: Double) -> Double {
        (successes...tried).reduce(0) { sum, k in
            let ways = lgamma(Double(tried + 1)) - lgamma(Double(k + 1)) - lgamma(Double(tried - k + 1))
            let failures = tried == k ? 0 : Double(tried - k) * log(1 - probability)
            return sum + exp(ways + Double(k) * log(probability) + failures)
        }
    }
}
