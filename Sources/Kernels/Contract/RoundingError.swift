/// How far a right implementation may be from the truth.
///
/// A contract derives ε, the error of each element to first order in units of u, with each rounding weighed by what it acts
/// on. n roundings multiply to a relative error of at most n·u / (1 − n·u), which covers the higher orders:
///
///     |x − truth| ≤ u · ε / (1 − n·u)
///
/// ε is the worst case, for any order of summation. A probabilistic ε, λ·√n for n addends (Higham and Mary 2019), needs λ
/// near 8 to be safe over all elements, and so is smaller only from 64 addends on; and rounding errors are not independent
/// where the addends are alike and summed one by one. A right kernel must never fail.
///
/// Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., lemma 3.1.
public enum RoundingError {
    /// The ε of one `exp`, `tanh`, `log` or power: 4 ulp, twice what common SIMD polynomials make.
    public static let elementary = 8.0
    /// The least ε of what passes through `exp`, whose results below 2^-126 may be flushed to 0: that much, in units of u.
    public static let flushed = 0x1p-102
    /// The least ε of one rounding: gradual underflow, of 2^-150.
    static let underflow = 0x1p-126
}

extension Argument {
    /// The largest error that a right implementation makes in an element of that ε, where numbers round by at most `unit`.
    ///
    /// An ε of 0 asks for the truth exactly.
    public func bound(error: Double, unit: Double = Float.unitRoundoff) -> Double {
        guard error != 0 else { return 0 }
        let n = Double(roundings)
        return max(error, n * RoundingError.underflow) * unit / (1 - n * unit)
    }
}
