import Accuracy
import GPT2
import KernelCatalog
import Kernels
import Platform

/// A kernel's call at sizes that no fixture has, its inputs drawn.
struct DrawnCase: Sendable {
    /// The kernel.
    let kernel: any Kernel<Float>.Type
    /// The call.
    private(set) var call: DrawnCall

    /// A call of `kernel` at those sizes. Its inputs follow from its name and `seed` alone, whichever other cases there are.
    init<K: Kernel<Float>>(
        _ kernel: K.Type, sizes: [String: Int], absent: Set<String> = [], overwrites: Overwriting = [],
        values: ValueClass, seed: UInt64
    ) {
        self.kernel = kernel
        let adding = DrawnCall(sizes: sizes).signature(kernel)
        // What the kernel has no gradients of it cannot overwrite.
        let effective = Overwriting.named.map(\.option).filter { option in
            let signature = DrawnCall(sizes: sizes, overwrites: option).signature(kernel)
            return overwrites.contains(option) && signature.results.map(\.role) != adding.results.map(\.role)
        }
        call = DrawnCall(sizes: sizes, absent: absent, overwrites: Overwriting(effective), values: values, seed: 0)
        call.seed = seed &+ UInt64(hashing: name)
    }

    /// The calls of each kernel of `catalog` at the edges, on values of every class, and at the sizes of GPT-2's models.
    static func all(of catalog: KernelCatalog, seed: UInt64) -> [[DrawnCase]] {
        let recorded = models.concurrentMap { configuration, batch, sequence in
            CallRecorder.calls(of: configuration, batch: batch, sequence: sequence)
        }.flatMap(\.self)
        return catalog.kernels.concurrentMap {
            edges(of: $0, seed) + onValues(of: $0, seed) + ofModels($0, recorded, usually, seed)
        }
    }

    /// The calls that models of those shapes make of each kernel of `catalog`.
    static func all(of catalog: KernelCatalog, at shapes: [ModelShape], seed: UInt64) -> [[DrawnCase]] {
        let recorded = shapes.flatMap { shape in
            CallRecorder.calls(of: shape.configuration, batch: shape.batch, sequence: shape.sequence)
        }
        return catalog.kernels.map { ofModels($0, recorded, whereAsked, seed) }.filter { !$0.isEmpty }
    }

    private static func edges<K: Kernel<Float>>(of kernel: K.Type, _ seed: UInt64) -> [DrawnCase] {
        let optional = Set(K().signature.arguments.filter(\.isOptional).map(\.name))
        return EdgeSizes.sizes(of: kernel, seed: seed).enumerated().map { number, sizes in
            // One in four goes without what may be absent, one overwrites what the others add to.
            DrawnCase(
                kernel, sizes: sizes, absent: number % 4 == 1 ? optional : [],
                overwrites: number % 4 == 2 ? [.activations, .parameters] : [], values: .usual, seed: seed)
        }
    }

    /// How many calls each kernel makes on values of a class, and of how many elements.
    private static let onValues: [(values: ValueClass, calls: Int, elements: Int)] = [
        (.hard, 8, 2048), (.balanced, 2, 1024), (.subnormal, 3, 1024), (.large, 3, 1024), (.sweep, 1, 1 << 17),
    ]

    private static func onValues<K: Kernel<Float>>(of kernel: K.Type, _ seed: UInt64) -> [DrawnCase] {
        onValues.flatMap { values, calls, elements in
            // Of few sizes some are drawn twice.
            let sizes = Set(
                (0..<calls).map { number in
                    DrawnCall(small: kernel, elements: elements, seed: seed &+ UInt64(number) << 32).sizes
                })
            return sizes.map { DrawnCase(kernel, sizes: $0, values: values, seed: seed) }
                .sorted { $0.name < $1.name }
        }
    }

    // MARK: - The sizes of models

    /// The models and batches whose sizes kernels are tried at.
    private static let models: [(configuration: Configuration, batch: Int, sequence: Int)] = [
        (.d12, 4, 64), (small(.d12), 1, 1024), (small(.d48), 1, 64),
    ]
    /// The model with a small vocabulary: the whole one is there already, and takes memory.
    private static func small(_ model: Configuration) -> Configuration {
        var configuration = model
        (configuration.vocabularySize, configuration.paddedVocabularySize) = (1000, 1024)
        return configuration
    }
    /// The most operations of a call, of one that is linear, and the most elements: what is larger is tried at fewer of its
    /// independent positions. What is linear is compared whole at the cost of a part.
    private typealias Most = (operations: Int, linear: Int, elements: Int)
    private static let usually: Most = (320_000_000, 2_600_000_000, 1 << 21)
    /// Whoever asks for a shape waits for it; what would need more than 2 GB or so is still made smaller.
    private static let whereAsked: Most = (1 << 36, 1 << 36, 1 << 26)

    private static func ofModels<K: Kernel<Float>>(
        _ kernel: K.Type, _ recorded: [CallRecorder.Call], _ most: Most, _ seed: UInt64
    ) -> [DrawnCase] {
        recorded.filter { $0.name == K.name }.reduce(into: []) { cases, call in
            guard let sizes = reduced(call.sizes, to: most, of: kernel) else { return }
            let drawn = DrawnCase(kernel, sizes: sizes, absent: call.absent, values: .usual, seed: seed)
            if !cases.contains(where: { $0.call == drawn.call }) { cases.append(drawn) }
        }
    }

    /// The sizes with the largest of those along which every result can be computed position by position cut in half, until
    /// the call is no larger than may be; nil where they cannot be.
    private static func reduced<K: Kernel<Float>>(
        _ whole: [String: Int], to most: Most, of _: K.Type
    ) -> [String: Int]? {
        guard let signature = try? K.signature(sizes: whole) else { return nil }
        let common = signature.results.map(\.independent).reduce(Set(whole.keys)) { $0.intersection($1) }
        var counts = whole.filter { common.contains($0.key) }
        let operations = signature.sizes.contains(where: \.isLinear) ? most.linear : most.operations
        while true {
            let sizes = signature.sizes(with: counts)
            let call = K(sizes: sizes) { _ in nil }
            let elements = call.signature.arguments.reduce(0) { $0 + $1.count }
            // Many elements only where there is much to compute of them.
            if call.cost.operations <= operations, elements <= max(most.elements, call.cost.operations >> 4) {
                return sizes
            }
            let largest = counts.max { ($0.value, $0.key) < ($1.value, $1.key) }
            guard let largest, largest.value > 1 else { return nil }
            counts[largest.key] = largest.value / 2
        }
    }
}
