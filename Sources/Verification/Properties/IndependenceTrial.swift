import Accuracy
import Kernels
import Sentinel
import Tensors

/// The trial of what a kernel's results depend on: where the contract says that positions along a size are independent, or that
/// later ones do not count for earlier ones, other numbers elsewhere must leave the same bits. Whether they are the same with
/// no others as well (batch invariance) is noted, no more: a right kernel may block by size. It needs no truth.
struct IndependenceTrial {
    /// By each result.
    private(set) var findings: [PropertyFinding]

    /// The most elements of all arguments together, and of a call whose positions are computed alone: so large that kernels
    /// block it.
    private static let (elements, elementsAlone) = (3000, 1 << 16)

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
        try lookAlone(kernel, seed: seed, by: reference, answers)
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
                    let kept = argument.indices(at: [size: positions]).filter {
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

    /// Notes the results that have other bits where there are fewer positions.
    private mutating func lookAlone<K: Kernel<Float>>(
        _ kernel: K.Type, seed: UInt64, by reference: KernelSet<Double>,
        _ answers: (CallValues<Float>) throws(HarnessError) -> [[Float]]
    ) throws(HarnessError) {
        let call = DrawnCall(small: kernel, elements: Self.elementsAlone, seed: seed)
        let values = call.values(of: K.InDouble.self, by: reference)
        let signature = call.signature(kernel)
        let (results, extents) = (signature.results, signature.extents)
        let usual = try answers(values)
        var generator = SplitMix64(state: seed)
        // Along each by itself, and all that a result has together.
        let sizes = Set(results.map(\.independent)).union(results.flatMap(\.independent).map { [$0] })
        for sizes in sizes.map({ $0.sorted() }).sorted(by: { $0.joined() < $1.joined() }) where !sizes.isEmpty {
            var position: [String: [Int]] = [:]
            for size in sizes {
                position[size] = extents[size].map { [Int.random(in: 0..<$0, using: &generator)] }
            }
            let alone = try answers(values.only(position, of: signature))
            for (number, argument) in results.enumerated()
            where argument.independent.isSuperset(of: sizes) && !usual[number].isEmpty && !alone[number].isEmpty {
                let indices = argument.indices(at: position)
                let differs = zip(indices, alone[number]).contains { index, alone in
                    argument.coverage.contains(index, shape: argument.shape)
                        && usual[number][index].bitPattern != alone.bitPattern
                }
                if differs {
                    findings[number].remark(
                        "other bits where there is one position along \(sizes.joined(separator: " and "))")
                }
            }
        }
    }
}
