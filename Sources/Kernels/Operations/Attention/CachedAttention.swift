import Tensors

/// Attention of T new positions of a text over a cache of keys and values, which it extends by theirs.
///
///     key_cache[S + t] = k_t,   value_cache[S + t] = v_t
///     out[t] = softmax over s ≤ S + t of (q_t · key_cache[s] / √hs) · value_cache
///
/// - Shapes: inp (B, T, 3C), each row q, k, v, each (NH, hs), hs = C/NH; out (B, T, C); key_cache, value_cache (B, P, C)
///   with P ≥ S + T, of which the first S positions are in use.
///
/// Source: Pope et al. 2022, Efficiently scaling transformer inference, arXiv:2211.05102.
public enum CachedAttention {
    /// out = softmax(q · key_cacheᵀ / √hs, causal) · value_cache, after the new keys and values are stored
    public struct Forward<Scalar: KernelScalar>: Kernel {
        public typealias InDouble = Forward<Double>
        public static var name: KernelName { KernelName("cached_attention", .forward) }

        public var out: MutableView<Scalar> = .empty
        public var keyCache: MutableView<Scalar> = .empty
        public var valueCache: MutableView<Scalar> = .empty
        public var inp: View<Scalar> = .empty
        public var (B, T) = (0, 0)
        /// The positions in use before, and all that there are.
        public var (S, P) = (0, 0)
        public var (C, NH) = (0, 0)

        public init() {}

        public init(
            out: MutableView<Scalar>, keyCache: MutableView<Scalar>, valueCache: MutableView<Scalar>,
            inp: View<Scalar>, B: Int, T: Int, S: Int, P: Int, C: Int, NH: Int
        ) {
            (self.out, self.keyCache, self.valueCache, self.inp) = (out, keyCache, valueCache, inp)
            (self.B, self.T, self.S, self.P, self.C, self.NH) = (B, T, S, P, C, NH)
        }

        public mutating func bind(_ b: inout Binder<Scalar>) {
            let (B, T, S) = (b.size("B", &B), b.size("T", &T), b.size("S", &S, atLeast: 0))
            let P = b.size("P", &P, atLeast: S + T)
            let (C, NH, hs) = b.heads(&C, &NH)
            let seen = S.extent + T.extent
            b.output(
                "out", &out, [B, T, C], roundings: hs.extent + 2 * seen + 2 * Int(RoundingError.elementary) + 8,
                independent: [B, NH], causal: T, nonFinite: .spreading)
            b.state("key_cache", &keyCache, [B, P, C], .wide, roundings: 0, independent: [B, NH])
            b.state("value_cache", &valueCache, [B, P, C], .wide, roundings: 0, independent: [B, NH])
            b.input("inp", &inp, [B, T, 3 * C], .wide)
        }

        public var cost: Cost {
            let pairs = B * NH * T * (2 * S + T + 1) / 2
            return Cost(
                operations: pairs * (4 * C / max(NH, 1) + 5), elements: B * C * (2 * (S + T) + 6 * T))
        }
    }
}

extension CachedAttention.Forward: KernelInDouble where Scalar == Double {
    /// The caches are copies, exactly. With ε_p, x, s and L = S + t + 1 of ``ScoreRow``:
    ///
    ///     ε out = Σ_j att_j·(x_j + L + 2)·|v_j| + s·|out|
    public func roundingErrors(into ε: Self, from start: Self, by law: ErrorLaw) {
        let hs = C / NH
        ε.keyCache.fill(0)
        ε.valueCache.fill(0)
        for row in 0..<B * NH * T {
            let (b, h, t) = (row / (NH * T), row / T % NH, row % T)
            let places = (0...S + t).map { (b * P + $0) * C + h * hs }[...]
            let scores = ScoreRow(inp, at: (b * T + t) * 3 * C + h * hs, View(keyCache), at: places, hs: hs, by: law)
            scores.outErrors(
                into: ε.out, out, at: (b * T + t) * C + h * hs, View(valueCache), at: places, hs: hs)
        }
    }
}
