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
