#if PLUMBLINE_X86_64_V4
    /// The widest vector of the CPU that this is built for.
    typealias Vector = SIMD16<Float>
    /// Matrix products by the tile that its registers hold.
    typealias Product = GEMM<Vector, 12>
#else
    /// The widest vector of the CPU that this is built for: one register of AVX2, two of NEON or SSE.
    typealias Vector = SIMD8<Float>
    /// Matrix products by the tile that its registers hold.
    typealias Product = GEMM<Vector, 6>
#endif

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
}

extension UnsafeMutablePointer<Float> {
    /// The vector that starts here, aligned or not.
    @inline(__always)
    func load<V: SIMD>() -> V where V.Scalar == Float { UnsafePointer(self).load() }

    /// Writes the vector here, aligned or not.
    @inline(__always)
    func store<V: SIMD>(_ vector: V) where V.Scalar == Float {
        UnsafeMutableRawPointer(self).storeBytes(of: vector, as: V.self)
    }
}
