import KernelCatalog
import Kernels
import Tensors

/// Every fault and every recipe, listed once.
public enum FaultCatalogue {
    /// The recipes: one for each kernel.
    static let recipes: [any Recipe.Type] = [
        EncoderForwardRecipe.self, EncoderBackwardRecipe.self, LayerNormForwardRecipe.self,
        LayerNormBackwardRecipe.self,
        MatmulForwardRecipe.self, MatmulBackwardRecipe.self, AttentionForwardRecipe.self, AttentionBackwardRecipe.self,
        GELUForwardRecipe.self, GELUBackwardRecipe.self, ResidualForwardRecipe.self, ResidualBackwardRecipe.self,
        SoftmaxForwardRecipe.self, CrossEntropyForwardRecipe.self, CrossEntropySoftmaxBackwardRecipe.self,
        AdamWUpdateRecipe.self, FlashAttentionForwardRecipe.self, FlashAttentionBackwardRecipe.self,
        ClassifierForwardRecipe.self, ClassifierBackwardRecipe.self, CachedAttentionForwardRecipe.self,
    ]

    /// Faults of single kernels: of their mathematics, and those that any kernel can have.
    public static var kernelFaults: [Fault] {
        recipes.flatMap { $0.planted } + KernelCatalog.standard.kernels.flatMap { commonFaults(of: $0) }
    }

    /// Faults that show at sizes and values that no fixture has, or in many calls: tried by drawn cases and by properties.
    public static var drawnFaults: [Fault] {
        OperationFaults.all + KernelCatalog.standard.kernels.flatMap { drawnFaults(of: $0) }
    }

    /// Those of them that any kernel can have, in that one of a catalog.
    public static func drawnFaults<K: Kernel<Float>>(of kernel: K.Type, in catalog: KernelCatalog = .standard)
        -> [Fault]
    {
        (SizedFault.all(of: kernel) + SizedFault.ofValues(kernel) + SizedFault.ofMemory).map {
            $0.planted(in: kernel, of: catalog)
        }
    }

    /// The faults that any kernel can have, in that one of a catalog.
    public static func commonFaults(
        of kernel: any Kernel<Float>.Type, in catalog: KernelCatalog = .standard
    ) -> [Fault] {
        CommonFault.all.compactMap { $0.planted(in: kernel, of: catalog) }
    }

    /// Right kernels: variant `number` of each in turn, chosen at random from that seed.
    public static func variant(_ number: Int, seed: UInt64) -> (
        description: String, implementation: Implementation<Float>
    ) {
        var generator = SplitMix64(state: seed &+ UInt64(number) &* 0x9e37_79b9)
        return recipes[number % recipes.count].variant(using: &generator)
    }
}
