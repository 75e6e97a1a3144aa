import Kernels

/// Plain scalar loops, serial, over `Float` or `Double`: the oracle.
///
/// They are written to be read beside the formulas of the contracts. Sums run in double, so that the answer in `Float`
/// is off by little more than its last rounding.
public enum ReferenceKernels {}
