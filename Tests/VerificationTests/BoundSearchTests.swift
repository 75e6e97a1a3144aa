import KernelCatalog
import Kernels
import Reporting
import Testing

@testable import SelfTest

/// The search for large errors of right variants finds some beyond their bounds where there are any.
struct BoundSearchTests {
    @Test func everyResultIsSearched() {
        let search = BoundSearch(variants: 32, seed: 1)
        for recipe in FaultCatalogue.recipes {
            let found = search.run(recipe, [])
            #expect(!found.isEmpty && found.allSatisfy { $0.kernel == "\(recipe.kernel)" && $0.isWithin }, "\(found)")
        }
        #expect(Set(FaultCatalogue.recipes.map { $0.kernel }) == Set(KernelCatalog.standard.kernels.map { $0.name }))
    }

    /// A bound that is half of what it should be is passed, by kernels whose bounds are reached.
    @Test func boundsTooTightAreFound() {
        let search = BoundSearch(variants: 64, seed: 1, tightening: 0.5)
        for found in [
            search.run(MatmulForwardRecipe.self, []), search.run(LayerNormBackwardRecipe.self, []),
            search.run(ResidualForwardRecipe.self, []), search.run(GELUBackwardRecipe.self, []),
        ] {
            #expect(found.contains { !$0.isWithin }, "\(found)")
        }
        // Those of others within a few times as much.
        let tighter = BoundSearch(variants: 64, seed: 1, tightening: 0.1)
        for recipe in FaultCatalogue.recipes {
            #expect(tighter.run(recipe, []).contains { !$0.isWithin }, "\(recipe.kernel)")
        }
    }

    /// Rounding that no right kernel does is found too.
    @Test func lowPrecisionIsFound() {
        let found = BoundSearch(variants: 32, seed: 1).run(Imprecise.self, [])
        #expect(found.contains { !$0.isWithin })
        #expect(!report(found).holds)
        #expect(report(found).lines.contains { $0.contains("matmul forward: out") })
        #expect(report(BoundSearch(variants: 32, seed: 1).run(MatmulForwardRecipe.self, [])).holds)
        #expect(!report([]).holds)
    }

    private func report(_ tightness: [SelfTestReport.Tightness]) -> SelfTestReport {
        SelfTestReport(
            faults: [.init(name: "off", origin: "matmul forward", blamed: "matmul forward", finding: nil)],
            variants: 1, drawnVariants: 1, models: 1, falseAlarms: [], searched: 32, tightness: tightness,
            detection: [.init(what: "a tile", error: 1e-4, tried: 300, caught: 300, required: 0.99)], seed: 1,
            machine: .current(threads: 1), commit: nil, seconds: 1)
    }
}

/// Matrix products of inputs rounded to 11 bits.
private struct Imprecise: Recipe {
    private var right: MatmulForwardRecipe
    var arithmetic: Arithmetic {
        get { right.arithmetic }
        set { right.arithmetic = newValue }
    }

    init() {
        right = MatmulForwardRecipe()
        right.precision = tensorFloat32
    }

    func run(_ a: Matmul.Forward<Float>, _ workers: Workers) { right.run(a, workers) }
    static var faults: [Change<Self>] { [] }
}
