import KernelCatalog
import Kernels
import Tensors

/// Faults of single operations that no fixture shows.
enum OperationFaults {
    static let all: [Fault] = ofGELU + ofPadding + ofRecipes + ofInfinities

    // MARK: - Functions

    private static let ofGELU = [
        after("exactly 0 below −5", GELU.Forward<Float>.self) { call in
            for i in 0..<call.N where call.inp[i] < -5 { call.out[i] = 0 }
        },
        after("1 % off from 1.2340 to 1.2350", GELU.Forward<Float>.self) { call in
            for i in 0..<call.N where (1.2340..<1.2350).contains(call.inp[i]) { call.out[i] *= 1.01 }
        },
        after("1 % off from −0.5010 to −0.5000", GELU.Forward<Float>.self) { call in
            for i in 0..<call.N where (-0.5010 ..< -0.5).contains(call.inp[i]) { call.out[i] *= 1.01 }
        },
        after("1 more from 1.2340 to 1.2350", GELU.Backward<Float>.self) { call in
            for i in 0..<call.N where (1.2340..<1.2350).contains(call.inp[i]) { call.dinp[i] += call.dout[i] }
        },
        after("1 more from −0.5010 to −0.5000", GELU.Backward<Float>.self) { call in
            for i in 0..<call.N where (-0.5010 ..< -0.5).contains(call.inp[i]) { call.dinp[i] += call.dout[i] }
        },
    ]

    private static let ofPadding = [
        after("the padding added to", CrossEntropySoftmax.Backward<Float>.self) { call in
            for row in 0..<call.B * call.T {
                for v in call.V..<call.Vp { call.dlogits[row * call.Vp + v] += 0x1p-20 * call.dlosses[row] }
            }
        }
    ]

    /// The fault of the right kernel whose results are changed after each call.
    private static func after<K: Kernel<Float>>(
        _ name: String, _ kernel: K.Type, _ change: @escaping @Sendable (K) -> Void
    ) -> Fault {
        let right = KernelCatalog.standard.implementations
        return Fault(
            name,
            in: Implementation("faulty") { (call: K, workers: Workers) in
                KernelSet(right, workers: workers).run(call)
                change(call)
            })
    }

    /// Where a result is infinite, it is not a number.
    private static let ofInfinities: [Fault] = {
        func fault<K: Kernel<Float>>(_ kernel: K.Type) -> Fault {
            after("infinity made NaN", kernel) { call in
                for result in call.results {
                    for i in 0..<result.count where result.view[i].isInfinite { result.view[i] = .nan }
                }
            }
        }
        return [
            fault(GELU.Forward<Float>.self), fault(Residual.Forward<Float>.self), fault(Residual.Backward<Float>.self),
            fault(Matmul.Forward<Float>.self), fault(Encoder.Forward<Float>.self),
        ]
    }()

    // MARK: - Recipes

    private static let ofRecipes = [
        planted("row 1 023 does not see itself", AttentionForwardRecipe.self, at: { $0["T", default: 0] > 1023 }) {
            $0.seen = { t, _ in t >= 1023 ? t - 1 : t }
        },
        planted("row 1 023 does not see itself", FlashAttentionForwardRecipe.self, at: { $0["T", default: 0] > 1023 }) {
            $0.seen = { t, _ in t >= 1023 ? t - 1 : t }
        },
        planted("only the first 1 024 terms of a sum", MatmulForwardRecipe.self, at: { $0["C", default: 0] > 1024 }) {
            $0.depth = { min($0, 1024) }
        },
        planted("the sum of blocks of 64 not rescaled", SoftmaxForwardRecipe.self, at: { $0["V", default: 0] > 64 }) {
            $0.sums.block = 64
            $0.sums.rescales.sum = false
        },
        planted("the sum of blocks of 64 not rescaled", ClassifierForwardRecipe.self, at: { $0["V", default: 0] > 64 })
        {
            $0.sums.block = 64
            $0.sums.rescales.sum = false
        },
        planted(
            "the sum of blocks of 64 not rescaled", FlashAttentionForwardRecipe.self, at: { $0["T", default: 0] > 64 }
        ) {
            $0.sums.block = 64
            $0.sums.rescales.sum = false
        },
    ]

    /// The recipe changed, at those sizes.
    private static func planted<R: Recipe>(
        _ name: String, _ recipe: R.Type,
        at isActive: @escaping @Sendable (_ sizes: [String: Int]) -> Bool = { _ in true },
        _ change: (inout R) -> Void
    ) -> Fault {
        var recipe = R()
        change(&recipe)
        return Fault(name, in: recipe.implementation, at: isActive)
    }
}
