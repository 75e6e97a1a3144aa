import Foundation
import Kernels

/// A derivative by central differences, with a bound of its error.
///
///     D(h) = (L(x + h·v) − L(x − h·v)) / 2h = L′ + a·h² + b·h⁴ + …
///     R(h) = (4·D(h) − D(2h)) / 3 = L′ − 4·b·h⁴ + …                                            (Richardson)
///
/// where L = Σ dy·y is the forward's result against the cotangents.
///
/// - Truncation: R(2h) errs 16 times as much as R(h), so that |R(2h) − R(h)| is 15 times what is left, which leaves room
///   for the terms after it.
/// - Rounding: each y errs by u·ε, ε by the forward's contract, and D(h) is a sum over 2h: it errs by
///   ρ(h) = u/h·Σ |dy|·ε over the y that move, and by (n + 1)·u·Σ |dy·Δy| / 2h where its n terms are added;
///   R(h) by 4/3·ρ(h) + 1/3·ρ(2h) = 3/2·ρ(h).
/// - The step: h⁴ and u/h meet near h = u^(1/5), to the nearest power of two; x and v are such that x + h·v is exact.
///
/// Source: Richardson 1911, The approximate arithmetical solution by finite differences; Higham 2002, section 1.14.
struct Differences {
    /// R(h).
    let value: Double
    /// The largest error that truncation and rounding explain.
    let bound: Double

    /// The derivative of `outputs` against `cotangents`; `outputs(s)` are those at x + s·v, and `errors` their ε.
    init<Scalar: KernelScalar>(
        cotangents: [Double], errors: [Double], _: Scalar.Type, outputs: (Scalar) -> [Scalar]
    ) {
        let u = Scalar.unitRoundoff
        let h = Self.step(Scalar.self)
        var moved = [Bool](repeating: false, count: cotangents.count)
        var (terms, sums) = (0.0, [Double]())
        for factor in [1.0, 2, 4] {
            let (up, down) = (outputs(Scalar(factor * h)), outputs(Scalar(-factor * h)))
            var sum = 0.0
            for index in cotangents.indices where up[index] != down[index] && cotangents[index] != 0 {
                moved[index] = true
                let term = cotangents[index] * (Double(up[index]) - Double(down[index]))
                sum += term
                terms = max(terms, abs(term) / (2 * factor * h) * Double(cotangents.count + 1))
            }
            sums.append(sum / (2 * factor * h))
        }
        let fine = (4 * sums[0] - sums[1]) / 3
        let coarse = (4 * sums[1] - sums[2]) / 3
        let addends = moved.count { $0 }
        let propagated = moved.indices.reduce(0) { $0 + (moved[$1] ? abs(cotangents[$1]) * errors[$1] : 0) }
        value = fine
        // The sum itself is taken in double.
        bound =
            abs(coarse - fine) + 1.5 * u / h * propagated
            + 1.5 * Double.unitRoundoff * Double(addends) * terms
    }

    /// The power of two nearest to u^(1/5).
    static func step<Scalar: KernelScalar>(_: Scalar.Type) -> Double {
        exp2((log2(Scalar.unitRoundoff) / 5).rounded())
    }
}
