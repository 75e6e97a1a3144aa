/// eˣ in each lane.
///
/// x = n·ln 2 + r with |r| ≤ ½·ln 2 and n whole; ln 2 is split in two so that r is exact to its last bit; eʳ is a
/// polynomial of degree 7; 2ⁿ goes into the exponent.
///
/// - Max error: 1 ulp, on every x in −87.3365...88.37. Below, where results are subnormal, 0; above, infinity, which no finite
///   argument of a caller reaches. NaN stays NaN.
///
/// Source: Cody and Waite 1980, Software Manual for the Elementary Functions; the coefficients are those of Cephes `expf`.
@inline(__always)
func exp(_ x: Vector) -> Vector {
    let largest = Vector(repeating: 88.37)
    return .select(largest.isBelow(x), Vector(repeating: .infinity), else: exp(bounded: x))
}

/// The same for x of at most 88.37, and NaN.
@inline(__always)
func exp(bounded x: Vector) -> Vector {
    let n = (x * Vector(repeating: 1.442_695_040_888_963_4)).nearestWhole()
    let r = x.plus(n, times: Vector(repeating: -0.693_359_375)).plus(n, times: Vector(repeating: 2.121_944_4e-4))

    var p = Vector(repeating: 1.987_569_15e-4)
    p = Vector(repeating: 1.398_199_950_7e-3).plus(p, times: r)
    p = Vector(repeating: 8.333_451_907_3e-3).plus(p, times: r)
    p = Vector(repeating: 4.166_579_589_4e-2).plus(p, times: r)
    p = Vector(repeating: 1.666_666_545_9e-1).plus(p, times: r)
    p = Vector(repeating: 5.000_000_120_1e-1).plus(p, times: r)
    let mantissa = 1 + r.plus(p, times: r * r)

    let power = mantissa.timesTwo(toThe: n)
    return .select(x.isBelow(Vector(repeating: -87.336_544)), Vector(repeating: 0), else: power)
}
