import CInstructions

#if PLUMBLINE_X86_64_V4
    /// The widest vector of the CPU that this is built for.
    typealias Vector = SIMD16<Float>
    /// Whole numbers in as many lanes.
    typealias IntVector = SIMD16<Int32>
    /// Matrix products by the tile that its registers hold.
    typealias Product = GEMM<Tile<Vector, 12>>
#else
    /// The widest vector of the CPU that this is built for: one register of AVX2, two of NEON or SSE.
    typealias Vector = SIMD8<Float>
    /// Whole numbers in as many lanes.
    typealias IntVector = SIMD8<Int32>
    /// Matrix products by the tile that its registers hold.
    typealias Product = GEMM<Tile<Vector, 6>>
#endif

/// The lanes of a ``Vector``.
let lanes = Vector.scalarCount

/// The square root of each lane, in one instruction.
@inline(__always)
func squareRoot(_ x: Vector) -> Vector {
    #if PLUMBLINE_X86_64_V4
        plumbline_sqrt16(x)
    #else
        plumbline_sqrt8(x)
    #endif
}

extension SIMD where Scalar == Float {
    /// self + a · b: with one rounding where the CPU has an instruction for it, else with two.
    @inline(__always)
    func plus(_ a: Self, times b: Self) -> Self {
        #if arch(arm64) || PLUMBLINE_X86_64_V3 || PLUMBLINE_X86_64_V4
            addingProduct(a, b)
        #else
            self + a * b
        #endif
    }
}

/// By halves: faster than lane by lane, and a sum rounds less.
extension SIMD8<Float> {
    /// The sum of all lanes.
    @inline(__always)
    func laneSum() -> Float {
        let four = lowHalf + highHalf
        let two = four.lowHalf + four.highHalf
        return two[0] + two[1]
    }

    /// The largest lane.
    @inline(__always)
    func largestLane() -> Float {
        let four = lowHalf.replacing(with: highHalf, where: highHalf .> lowHalf)
        let two = four.lowHalf.replacing(with: four.highHalf, where: four.highHalf .> four.lowHalf)
        return two[1] > two[0] ? two[1] : two[0]
    }
}

extension SIMD16<Float> {
    /// The sum of all lanes.
    @inline(__always)
    func laneSum() -> Float { (lowHalf + highHalf).laneSum() }

    /// The largest lane.
    @inline(__always)
    func largestLane() -> Float { lowHalf.replacing(with: highHalf, where: highHalf .> lowHalf).largestLane() }
}

extension UnsafePointer<Float> {
    /// The vector that starts here, aligned or not.
    @inline(__always)
    func load<V: SIMD>() -> V where V.Scalar == Float { UnsafeRawPointer(self).loadUnaligned(as: V.self) }

    /// The first `count` elements from here; `rest` in the lanes beyond.
    @inline(__always)
    func load(_ count: Int, rest: Float = 0) -> Vector {
        if count == lanes { return load() }
        var vector = Vector(repeating: rest)
        for i in 0..<count { vector[i] = self[i] }
        return vector
    }
}

extension UnsafeMutablePointer<Float> {
    /// The vector that starts here, aligned or not.
    @inline(__always)
    func load<V: SIMD>() -> V where V.Scalar == Float { UnsafePointer(self).load() }

    /// The first `count` elements from here; `rest` in the lanes beyond.
    @inline(__always)
    func load(_ count: Int, rest: Float = 0) -> Vector { UnsafePointer(self).load(count, rest: rest) }

    /// Writes the vector here, aligned or not.
    @inline(__always)
    func store<V: SIMD>(_ vector: V) where V.Scalar == Float {
        UnsafeMutableRawPointer(self).storeBytes(of: vector, as: V.self)
    }

    /// Writes the first `count` lanes.
    @inline(__always)
    func store(_ vector: Vector, _ count: Int) {
        if count == lanes { return store(vector) }
        for i in 0..<count { self[i] = vector[i] }
    }
}

/// Adds the first `count` lanes to what two places hold.
///
/// Both are read first: a load waits for a store whose address ends in the same 12 bits.
@inline(__always)
func add(
    _ x: Vector, _ count: Int, to first: UnsafeMutablePointer<Float>, and second: UnsafeMutablePointer<Float>
) {
    let sums = (first.load(count) + x, second.load(count) + x)
    first.store(sums.0, count)
    second.store(sums.1, count)
}
