import Foundation
import Kernels

/// The error of one tensor, gathered slab by slab: element by element against bounds, and in the mean against PyTorch.
///
/// Every test is written so that NaN fails. An infinity is right only where the truth is the same infinity.
struct ErrorMeasure {
    /// The elements compared.
    private(set) var count = 0
    /// The largest error as a fraction of the element's bound, where it is, and the bound, truth and answer there.
    private(set) var worst = 0.0
    private(set) var worstIndex = 0
    private(set) var bound = 0.0
    private(set) var expected = 0.0
    private(set) var actual = 0.0
    private var squares = 0.0
    private var torchSquares = 0.0
    private var truthSquares = 0.0

    /// The error of the worst element in units in the last place of the float32 nearest to the truth.
    var ulps: Double {
        let nearest = Float(expected)
        return nearest.isFinite ? Self.error(actual, expected) / Double(nearest.ulp) : Self.error(actual, expected)
    }

    /// The root mean square of the answer's error, of PyTorch's, and of the truth.
    var rmse: Double { root(squares) }
    var torchRMSE: Double { root(torchSquares) }
    var truthRMS: Double { root(truthSquares) }

    /// Takes the element at the flat `index`: what the kernel and PyTorch computed, the truth, and the bound.
    mutating func add(index: Int, actual: Double, torch: Double, truth: Double, bound: Double) {
        let error = Self.error(actual, truth)
        let torchError = Self.error(torch, truth)
        squares += error * error
        torchSquares += torchError * torchError
        truthSquares += truth.isFinite ? truth * truth : 0

        let fraction = Self.fraction(error, of: bound)
        if count == 0 || fraction > worst {
            worst = fraction
            worstIndex = index
            self.bound = bound
            expected = truth
            self.actual = actual
        }
        count += 1
    }

    /// |actual − truth|; 0 for the same infinity, and NaN or infinity for any other that is not finite.
    static func error(_ actual: Double, _ truth: Double) -> Double { actual == truth ? 0 : abs(actual - truth) }

    /// The error as a fraction of its bound: infinite where it is NaN, or where the bound is 0 and it is not.
    static func fraction(_ error: Double, of bound: Double) -> Double {
        if error == 0 { return 0 }
        let fraction = error / bound
        return fraction.isNaN ? .infinity : fraction
    }

    private func root(_ squares: Double) -> Double { count == 0 ? 0 : (squares / Double(count)).squareRoot() }
}

/// How far a float32 run of the whole model may be from the float64 run, judged by how far PyTorch's is.
///
///     rmse ≤ m(N) · PyTorch's rmse + u · √n · rms(truth),   m(N) = 2 · exp(6/√N)
///
/// The factor 2 and a rounding floor are in TorchDynamo's `same` and FlashAttention's tests. Two right runs differ by
/// chance: the logarithm of the ratio of two root mean squares of N independent errors has standard deviation 1/√N, and
/// six of them happen once in 10^9. They differ by design too: PyTorch sums in blocks, and a right kernel may sum in any
/// order. n roundings that are independent add up to √n · u, which is the floor; n is that of the contracts.
///
/// Source: `torch._dynamo.utils.same`; Dao, flash-attention `test_flash_attn.py`; Higham and Mary 2019, A new approach
/// to probabilistic rounding error analysis.
enum Band {
    /// The largest root mean square error that a right run makes, after `roundings` on the longest path.
    static func bound(_ measure: ErrorMeasure, roundings: Int) -> Double {
        let chance = exp(6 / Double(max(measure.count, 1)).squareRoot())
        let floor = Float.unitRoundoff * Double(max(roundings, 1)).squareRoot() * measure.truthRMS
        return 2 * chance * measure.torchRMSE + floor
    }
}
