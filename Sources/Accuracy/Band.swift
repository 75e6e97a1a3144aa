import Foundation
import Kernels

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
package enum Band {
    /// The largest root mean square error that a right run makes, after `roundings` on the longest path.
    package static func bound(_ measure: ErrorMeasure, roundings: Int) -> Double {
        let chance = exp(6 / Double(max(measure.count, 1)).squareRoot())
        let floor = Float.unitRoundoff * Double(max(roundings, 1)).squareRoot() * measure.truthRMS
        return 2 * chance * measure.torchRMSE + floor
    }
}
