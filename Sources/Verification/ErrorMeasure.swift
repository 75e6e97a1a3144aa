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
///     rmse ≤ m(n) · PyTorch's rmse + u · rms(truth),   m(n) = 2 · exp(6/√n)
///
/// The factor 2 and the rounding floor are those of TorchDynamo's `same` and FlashAttention's tests. Two right runs
/// differ by chance: the logarithm of the ratio of two root mean squares of n independent errors has standard
/// deviation 1/√n, and six of them happen once in 10^9. The floor is the error of storing the truth in float32.
///
/// Source: `torch._dynamo.utils.same`; Dao, flash-attention `test_flash_attn.py`.
enum Band {
    /// The largest root mean square error that a right run makes.
    static func bound(_ measure: ErrorMeasure) -> Double {
        let chance = exp(6 / Double(max(measure.count, 1)).squareRoot())
        return 2 * chance * measure.torchRMSE + Float.unitRoundoff * measure.truthRMS
    }
}
