import Foundation
import Tensors

/// How a right kernel makes `exp`, `log` and `tanh`.
enum Elementary: Sendable, Hashable {
    /// As the C library does: within half a unit in the last place, or nearly so.
    case exact
    /// By way of the base 2.
    case base2
    /// Off by so many units in the last place, as polynomials are.
    case off(Int)

    /// A choice at random.
    static func random(using generator: inout SplitMix64) -> Elementary {
        [.exact, .base2, .off(-2), .off(2)].randomElement(using: &generator) ?? .exact
    }

    func exp(_ x: Float) -> Float {
        switch self {
        case .exact: Foundation.exp(x)
        case .base2: exp2(x * 1.442_695_04)
        // What a polynomial leaves out vanishes toward 0, and most flush what is below the normal numbers.
        case .off(let ulps):
            abs(x) < 0x1p-4
                ? Foundation.exp(x)
                : Foundation.exp(x) < .leastNormalMagnitude ? 0 : moved(Foundation.exp(x), ulps)
        }
    }

    func log(_ x: Float) -> Float {
        switch self {
        case .exact: Foundation.log(x)
        case .base2: log2(x) * 0.693_147_18
        case .off(let ulps): x == 1 ? 0 : moved(Foundation.log(x), ulps)
        }
    }

    func tanh(_ x: Float) -> Float {
        switch self {
        case .exact, .base2: Foundation.tanh(x)
        case .off(let ulps):
            // Every one saturates.
            abs(Foundation.tanh(x)) == 1 ? Foundation.tanh(x) : min(max(moved(Foundation.tanh(x), ulps), -1), 1)
        }
    }

    /// What is finite and has a last place, moved by so many of its units.
    private func moved(_ x: Float, _ ulps: Int) -> Float { x.isNormal ? x + Float(ulps) * x.ulp : x }
}
