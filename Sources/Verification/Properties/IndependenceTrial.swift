import Accuracy
import Kernels
import Sentinel
import Tensors

/// The trial of what a kernel's results depend on: where the contract says that positions along a size are independent, or that
/// later ones do not count for earlier ones, other numbers elsewhere must leave the same bits. It needs no truth.
struct IndependenceTrial {
    /// By each result.
    private(set) var findings: [PropertyFinding]

    /// The most elements of all arguments together.
    private static let elements = 3000

    /// Tries the implementation that `kernels` has of `kernel`; what forward calls leave for it comes from `reference`.
    ///
    /// - Throws: ``HarnessError`` where the machine has no room for it.
    init<K: Kernel<Float>>(
        _ kernel: K.Type, _ kernels: KernelSet<Float>, by reference: KernelSet<Double>, seed: UInt64
    ) throws(HarnessError) {
        let call = DrawnCall(small: kernel, elements: Self.elements, seed: seed)
        var other = call
        other.seed = ~seed
        let values = call.values(of: K.InDouble.self, by: reference)
        let others = other.values(of: K.InDouble.self, by: reference)
        let signature = call.signature(kernel)
        let results = signature.results
        findings = results.map { PropertyFinding($0) }

        func answers(_ values: CallValues<Float>) throws(HarnessError) -> [[Float]] {
            let name = KernelProperty.independence.rawValue
            return try KernelTrial(briefly: kernel, values, name, kernels, threads: nil).answers.map { $0.first ?? [] }
        }
        let usual = try answers(values)
        var generator = SplitMix64(state: seed)
        for (size, extent) in signature.extents.sorted(by: { $0.key < $1.key }) where extent > 1 {
            let half = (extent + 1) / 2
            for (isCausal, positions) in [
                (false, (0..<extent).shuffled(using: &generator).prefix(half).sorted()), (true, Array(0..<half)),
            ] {
                let concerned = results.indices.filter {
                    isCausal ? results[$0].causal == size : results[$0].independent.contains(size)
                }
                if concerned.isEmpty { continue }
                let mixed = try answers(values.keeping(positions, along: size, of: signature, with: others))
                for number in concerned where !usual[number].isEmpty && !mixed[number].isEmpty {
                    let argument = results[number]
                    let kept = argument.indices(at: positions, along: size).filter {
                        argument.coverage.contains($0, shape: argument.shape)
                    }
                    findings[number].count += kept.count
                    let wrong = kept.first { usual[number][$0].bitPattern != mixed[number][$0].bitPattern }
                    guard let wrong else { continue }
                    findings[number].note(
                        "element \(wrong) depends on \(isCausal ? "later" : "other") positions along \(size)")
                }
            }
        }
    }
}
