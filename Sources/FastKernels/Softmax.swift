import Foundation
import Kernels
import Tensors

extension FastKernels {
    /// ``Softmax/Forward``, row by row.
    @Sendable public static func softmaxForward(_ a: Softmax.Forward<Float>, _ workers: Workers) {
        workers.forEachRow(a.B * a.T, of: a.Vp) { row in
            let probs = a.probs.base + row * a.Vp
            let (_, sum) = exponentials(of: a.logits.base + row * a.Vp, a.V, into: probs)
            divide(probs, a.V, by: sum)
            for v in a.V..<a.Vp { probs[v] = 0 }
        }
    }
}

/// Writes exp(scale·row − max) to `target`, if given, and returns max, which is the largest scale·row, and the sum.
///
/// The sum of each 1,024 is in float, and theirs in double: a row may be a whole vocabulary.
@inline(__always)
func exponentials(
    of row: UnsafePointer<Float>, _ count: Int, times scale: Float = 1, into target: UnsafeMutablePointer<Float>?
) -> (maximum: Float, sum: Double) {
    let maximum = scale * largest(of: row, count)
    let (factor, minusMaximum) = (Vector(repeating: scale), Vector(repeating: -maximum))
    @inline(__always)
    func exponential(_ i: Int, _ count: Int) -> Vector {
        let e = exp(bounded: minusMaximum.plus((row + i).load(count, rest: -.infinity), times: factor))
        if let target { (target + i).store(e, count) }
        return e
    }
    var total = 0.0
    for start in stride(from: 0, to: count, by: 1024) {
        total += Double(sum(min(1024, count - start)) { exponential(start + $0, $1) })
    }
    return (maximum, total)
}

/// The largest element; NaN is left out. Four chains hide the latency of a comparison.
@inline(__always)
func largest(of row: UnsafePointer<Float>, _ count: Int) -> Float {
    var maxima = InlineArray<4, Vector>(repeating: Vector(repeating: -.infinity))
    var i = 0
    while i + 4 * lanes <= count {
        for chain in 0..<4 { maxima[chain] = maxima[chain].atLeast((row + i + chain * lanes).load()) }
        i += 4 * lanes
    }
    while i < count {
        maxima[0] = maxima[0].atLeast((row + i).load(min(lanes, count - i), rest: -.infinity))
        i += lanes
    }
    return maxima[0].atLeast(maxima[1]).atLeast(maxima[2].atLeast(maxima[3])).largestLane()
}

/// Divides every element by `divisor`, with one rounding: the inverse has a second float for what the first leaves.
@inline(__always)
func divide(_ row: UnsafeMutablePointer<Float>, _ count: Int, by divisor: Double) {
    let inverse = 1 / divisor
    let high = Float(inverse)
    let low = Float(inverse - Double(high))
    forEachVector(0..<count) { i, count in
        let x = (row + i).load(count)
        (row + i).store((x * Vector(repeating: low)).plus(x, times: Vector(repeating: high)), count)
    }
}

/// Multiplies every element by `factor`.
@inline(__always)
func scale(_ row: UnsafeMutablePointer<Float>, _ count: Int, by factor: Float) {
    forEachVector(0..<count) { i, count in (row + i).store((row + i).load(count) * Vector(repeating: factor), count) }
}
