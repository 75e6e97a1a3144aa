import Accuracy
import KernelCatalog
import Kernels
import Reporting
import Tensors

/// A search for what right kernels make of their bounds: the largest error of any, as a fraction of its bound, over many
/// right variants, on cases of fixtures, drawn ones and hard ones. It returns to the worst with other variants.
struct BoundSearch: Sendable {
    /// How many variants of each kernel are tried.
    let variants: Int
    /// Chooses them, and their cases.
    let seed: UInt64
    /// What every bound is multiplied with: below 1, to see that the search can fail.
    var tightening = 1.0

    /// The variants that each case is tried with.
    private static let variantsOfACase = 8

    /// The largest fraction for each result of the recipe's kernel, in the order of the contract.
    func run<R: Recipe>(_: R.Type, _ fixture: [KernelCase]) -> [SelfTestReport.Tightness] {
        let reference = KernelSet(KernelCatalog.standard.exact)
        var generator = SplitMix64(state: UInt64(hashing: R.K.name.symbol) ^ seed)
        var found: [String: (tightness: SelfTestReport.Tightness, kernelCase: KernelCase)] = [:]
        let cases = (variants + Self.variantsOfACase - 1) / Self.variantsOfACase
        for number in 0..<cases {
            let kernelCase =
                switch number % 4 {
                case 0 where !fixture.isEmpty: fixture[number / 4 % fixture.count]
                case 1: Self.drawn(R.K.self, seed: generator.next(), by: reference)
                case 2:
                    found.sorted { $0.key < $1.key }.randomElement(using: &generator)?.value.kernelCase
                        ?? HardCall(of: R.K.self, using: &generator).kernelCase(of: R.K.self, by: reference)
                default: HardCall(of: R.K.self, using: &generator).kernelCase(of: R.K.self, by: reference)
                }
            for _ in 0..<Self.variantsOfACase {
                let recipe = R.random(using: &generator)
                for tightness in tried(recipe, kernelCase) {
                    // Written so that NaN is the largest.
                    if let most = found[tightness.result]?.tightness, !(most.fraction < tightness.fraction) { continue }
                    found[tightness.result] = (tightness, kernelCase)
                }
            }
        }
        return R.K().signature.results.compactMap { found[$0.name]?.tightness }
    }

    /// A case of drawn sizes and values.
    private static func drawn<K: Kernel<Float>>(
        _ kernel: K.Type, seed: UInt64, by reference: KernelSet<Double>
    ) -> KernelCase {
        let call = DrawnCall(small: kernel, elements: 4096, seed: seed)
        return KernelCase(kernel, name: "drawn at \(kernel.words(forSizes: call.sizes))", call, by: reference)
    }

    /// The largest fraction for each result of one variant on one case.
    private func tried<R: Recipe>(_ recipe: R, _ kernelCase: KernelCase) -> [SelfTestReport.Tightness] {
        let results = kernelCase.values.results(of: R.K.self, by: KernelSet([recipe.implementation]))
        return kernelCase.results.map { result in
            var measure = ErrorMeasure()
            let values = results[result.argument.name] ?? []
            for index in result.specified {
                measure.add(
                    index: index, actual: Double(values[index]), torch: nil, truth: result.truth[index],
                    bound: tightening * result.bound[index])
            }
            return SelfTestReport.Tightness(
                kernel: R.K.name.description, result: result.argument.name, fraction: measure.worst,
                index: indices(of: measure.worstIndex, in: result.argument.shape), case: kernelCase.name,
                choices: recipe.choices, expected: measure.expected, actual: measure.actual)
        }
    }
}
