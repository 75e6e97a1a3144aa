import Tensors

/// How far a right implementation may be from the truth.
///
/// A contract derives ε, the error of each element to first order in units of u, with each rounding weighed by what it acts
/// on. n roundings multiply to a relative error of at most n·u / (1 − n·u), which covers the higher orders:
///
///     |x − truth| ≤ u · ε / (1 − n·u)
///
/// This ε is the worst case, for any order of summation and any inputs. By ``ErrorLaw/random`` the same derivation gives
/// what roundings at random make, which holds for inputs drawn at random alone.
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

/// How the errors of many roundings come together: what makes of the ε of terms that of their sum.
public enum ErrorLaw: Sendable, CaseIterable {
    /// At their worst, all as large as they can be and of one sign: a bound for each element, whatever the inputs.
    ///
    ///     ε = n·Σ |x| + Σ ε_x
    case worst
    /// At random, independent of each other: the most that the standard deviation of an element is. Of terms in no particular
    /// order, Q = Σ x² and total S, a partial sum has a mean square of at most S² + Q, and each of n roundings one third
    /// of that. Functions such as exp keep what their class allows.
    ///
    ///     ε = √(n·(S² + Q)/3 + Σ ε_x²)
    ///
    /// It holds where mantissas are random and tails are light, in the mean over many elements.
    ///
    /// Source: Higham and Mary 2019, A new approach to probabilistic rounding error analysis.
    case random

    /// What a term x of n adds to the terms of ``sum(_:of:total:)``, if it has the error `error` itself.
    @inline(__always)
    public func term(_ x: Double, of n: Int, error: Double = 0) -> Double {
        switch self {
        case .worst: Double(n) * abs(x) + abs(error)
        case .random: Double(n) / 3 * x * x + error * error
        }
    }

    /// Adds to `sums` from `start` on what terms add that are products with the `count` numbers of `others` from `other` on,
    /// where ``term(_:of:error:)`` of what they are multiplied with is `factor`.
    func addTerms(
        _ factor: Double, times others: View<Double>, at other: Int, count: Int, to sums: MutableView<Double>,
        at start: Int
    ) {
        // One loop for each, without a branch in it.
        switch self {
        case .worst: for i in 0..<count { sums[start + i] += factor * abs(others[other + i]) }
        case .random: for i in 0..<count { sums[start + i] += factor * (others[other + i] * others[other + i]) }
        }
    }

    /// The ε of a sum whose `terms` were added up, rounded n times on the longest path, and which comes to `total`.
    @inline(__always)
    public func sum(_ terms: Double, of n: Int, total: Double) -> Double {
        switch self {
        case .worst: terms
        case .random: (terms + Double(n) / 3 * total * total).squareRoot()
        }
    }
}
