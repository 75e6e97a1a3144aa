import CInstructions

#if PLUMBLINE_X86_64_V4
    /// The widest vector of the CPU that this is built for.
    typealias Vector = SIMD16<Float>
    /// Matrix products by the tile that its registers hold.
    typealias Product = GEMM<Tile<Vector, 12>>
#else
    /// The widest vector of the CPU that this is built for: one register of AVX2, two of NEON or SSE.
    typealias Vector = SIMD8<Float>
    /// Matrix products by the tile that its registers hold.
    typealias Product = GEMM<Tile<Vector, 6>>
#endif

/// The lanes of a ``Vector``.
let lanes = Vector.scalarCount

/// A vector of floats with the instructions that Swift's SIMD types lack, or take lane by lane.
///
/// Each is a few instructions on every CPU: `CInstructions` says which, and what NaN does.
protocol FloatVector: SIMD where Scalar == Float {
    /// Whole numbers in as many lanes; as a mask, all bits of a lane or none.
    associatedtype Integers: SIMD where Integers.Scalar == Int32

    /// The lanes that are below those of `other`. NaN is below nothing, and nothing below NaN.
    func isBelow(_ other: Self) -> Integers
    /// `x` where all bits of `mask` are set, `y` where none is.
    static func select(_ mask: Integers, _ x: Self, else y: Self) -> Self
    /// The smaller of each lane and `bound`; NaN stays.
    func atMost(_ bound: Self) -> Self
    /// The larger of each lane and `bound`; NaN stays.
    func atLeast(_ bound: Self) -> Self
    /// The nearest whole numbers; of two, the even one.
    func nearestWhole() -> Self
    /// self · 2ⁿ for whole n, where self and the product are normal; NaN stays.
    func timesTwo(toThe n: Self) -> Self
    /// −self.
    func negative() -> Self
    /// The square root of each lane.
    func root() -> Self
    /// 1/self, with a relative error of at most 2⁻¹⁴, where both are normal.
    func inverseEstimate() -> Self
    /// The sum of all lanes.
    func laneSum() -> Float
    /// The largest lane; none may be NaN.
    func largestLane() -> Float
    /// The first `count` elements at `source`, and `rest` in the lanes beyond; nothing beyond is read.
    static func load(_ source: UnsafePointer<Float>, first count: Int, rest: Self) -> Self
    /// Writes the first `count` lanes to `target`, and nothing beyond.
    func store(to target: UnsafeMutablePointer<Float>, first count: Int)
    /// Writes all lanes past the caches; `target` is aligned to the vector's size.
    func stream(to target: UnsafeMutablePointer<Float>)
}

extension FloatVector {
    /// self − a · b: with one rounding where the CPU has an instruction for it, else with two.
    @inline(__always)
    func minus(_ a: Self, times b: Self) -> Self { plus(a.negative(), times: b) }

    /// 1/self within 1 ulp, where both are normal: the estimate, and one of Newton's steps.
    @inline(__always)
    func inverse() -> Self {
        let estimate = inverseEstimate()
        return estimate.plus(estimate, times: Self(repeating: 1).minus(self, times: estimate))
    }
}

extension SIMD8<Float>: FloatVector {
    typealias Integers = SIMD8<Int32>

    @inline(__always)
    func isBelow(_ other: Self) -> Integers { plumbline_less8(self, other) }
    @inline(__always)
    static func select(_ mask: Integers, _ x: Self, else y: Self) -> Self { plumbline_select8(mask, x, y) }
    @inline(__always)
    func atMost(_ bound: Self) -> Self { plumbline_min8(bound, self) }
    @inline(__always)
    func atLeast(_ bound: Self) -> Self { plumbline_max8(bound, self) }
    @inline(__always)
    func nearestWhole() -> Self { plumbline_round8(self) }
    @inline(__always)
    func timesTwo(toThe n: Self) -> Self { plumbline_scale8(self, n) }
    @inline(__always)
    func negative() -> Self { plumbline_negative8(self) }
    @inline(__always)
    func root() -> Self { plumbline_sqrt8(self) }
    @inline(__always)
    func laneSum() -> Float { plumbline_sum8(self) }
    @inline(__always)
    func largestLane() -> Float { plumbline_largest8(self) }
    @inline(__always)
    func inverseEstimate() -> Self { plumbline_inverse8(self) }
    @inline(__always)
    static func load(_ source: UnsafePointer<Float>, first count: Int, rest: Self) -> Self {
        plumbline_load_part8(source, count, rest)
    }
    @inline(__always)
    func store(to target: UnsafeMutablePointer<Float>, first count: Int) {
        plumbline_store_part8(target, count, self)
    }
    @inline(__always)
    func stream(to target: UnsafeMutablePointer<Float>) { plumbline_stream8(target, self) }
}

extension SIMD16<Float>: FloatVector {
    typealias Integers = SIMD16<Int32>

    @inline(__always)
    func isBelow(_ other: Self) -> Integers { plumbline_less16(self, other) }
    @inline(__always)
    static func select(_ mask: Integers, _ x: Self, else y: Self) -> Self { plumbline_select16(mask, x, y) }
    @inline(__always)
    func atMost(_ bound: Self) -> Self { plumbline_min16(bound, self) }
    @inline(__always)
    func atLeast(_ bound: Self) -> Self { plumbline_max16(bound, self) }
    @inline(__always)
    func nearestWhole() -> Self { plumbline_round16(self) }
    @inline(__always)
    func timesTwo(toThe n: Self) -> Self { plumbline_scale16(self, n) }
    @inline(__always)
    func negative() -> Self { plumbline_negative16(self) }
    @inline(__always)
    func root() -> Self { plumbline_sqrt16(self) }
    @inline(__always)
    func laneSum() -> Float { plumbline_sum16(self) }
    @inline(__always)
    func largestLane() -> Float { plumbline_largest16(self) }
    @inline(__always)
    func inverseEstimate() -> Self { plumbline_inverse16(self) }
    @inline(__always)
    static func load(_ source: UnsafePointer<Float>, first count: Int, rest: Self) -> Self {
        plumbline_load_part16(source, count, rest)
    }
    @inline(__always)
    func store(to target: UnsafeMutablePointer<Float>, first count: Int) {
        plumbline_store_part16(target, count, self)
    }
    @inline(__always)
    func stream(to target: UnsafeMutablePointer<Float>) { plumbline_stream16(target, self) }
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

extension UnsafePointer<Float> {
    /// The vector that starts here, aligned or not.
    @inline(__always)
    func load<V: SIMD>() -> V where V.Scalar == Float { UnsafeRawPointer(self).loadUnaligned(as: V.self) }

    /// The first `count` elements from here; `rest` in the lanes beyond.
    @inline(__always)
    func load(_ count: Int, rest: Float = 0) -> Vector {
        count == lanes ? load() : Vector.load(self, first: count, rest: Vector(repeating: rest))
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
        if count == lanes { store(vector) } else { vector.store(to: self, first: count) }
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
