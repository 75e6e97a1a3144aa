import Kernels
import Tensors

/// GELU by the logistic function σ: 0.5·(1 + tanh s) = σ(2s), which does not cancel where tanh s is near −1.
extension FastKernels {
    /// ``GELU/Forward``: x·σ(2s).
    @Sendable public static func geluForward(_ a: GELU.Forward<Float>, _ workers: Workers) {
        let streams = exceedsCache(a.N)
        workers.forEachPart(a.N) { part in
            @inline(__always)
            func gelu(_ i: Int, _ count: Int) -> Vector {
                let x = (a.inp.base + i).load(count)
                let e = exp(bounded: minusTwoS(x, x * x))
                // x/(1 + e) with one rounding: what the estimate of the inverse and the sum leave is added after.
                let sum = 1 + e
                let inverse = sum.inverseEstimate()
                let quotient = x * inverse
                let rest = x.minus(quotient, times: sum).minus(quotient, times: (1 - sum) + e)
                // Of an infinity the rest is NaN.
                let isFinite = quotient.isBelow(Vector(repeating: .infinity))
                return .select(isFinite, quotient.plus(rest, times: inverse), else: quotient)
            }
            write(part, to: a.out.base, streams: streams, gelu)
        }
    }

    /// ``GELU/Backward``: dout·σ·(1 + x·(1 − σ)·2s′), where 1 − σ = e·σ with e = exp(−2s).
    @Sendable public static func geluBackward(_ a: GELU.Backward<Float>, _ workers: Workers) {
        let overwrites = a.overwrites.contains(.activations)
        workers.forEachPart(a.N) { part in
            @inline(__always)
            func gradient(_ i: Int, _ count: Int) {
                let x = (a.inp.base + i).load(count)
                let square = x * x
                let e = exp(bounded: minusTwoS(x, square))
                let sigma = (1 + e).inverse()
                let slope = Vector(repeating: linear).plus(Vector(repeating: 3 * cubic), times: square)
                let gradient = sigma.plus(sigma * (e * sigma), times: x * slope)
                let dout = (a.dout.base + i).load(count)
                let target = a.dinp.base + i
                target.store(overwrites ? gradient * dout : target.load(count).plus(gradient, times: dout), count)
            }
            forEachVector(part, gradient)
        }
    }

    /// 2s = linear·x + cubic·x³
    private static var linear: Float { Float(2 * GELU.scale) }
    private static var cubic: Float { Float(2 * GELU.scale * GELU.cubic) }

    /// −2s, kept where exp neither overflows nor, times anything, leaves NaN.
    @inline(__always)
    private static func minusTwoS(_ x: Vector, _ square: Vector) -> Vector {
        (x * Vector(repeating: -linear).plus(Vector(repeating: -cubic), times: square)).atMost(Vector(repeating: 87))
    }
}
