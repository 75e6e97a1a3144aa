import Foundation

/// An element type that kernels compute with: `Float`, or `Double` for the truth.
public protocol KernelScalar: BinaryFloatingPoint, BitwiseCopyable, Sendable {}

extension Float: KernelScalar {}
extension Double: KernelScalar {}

extension KernelScalar {
    /// The unit roundoff u: the largest relative error of one rounding to nearest; 2^-24 for `Float`.
    public static var unitRoundoff: Double { Double(ulpOfOne) / 2 }
}
