import Accuracy
import GPT2
import KernelCatalog
import Kernels

/// A kernel's call at sizes that no fixture has, its inputs drawn.
struct DrawnCase: Sendable {
    /// The kernel.
    let kernel: any Kernel<Float>.Type
    /// The call.
    let call: DrawnCall

    /// The sizes in words.
    var words: String { kernel.words(forSizes: call.sizes) }

    /// The calls of each kernel of `catalog` at the edges, and at the sizes of GPT-2's models.
    static func all(of catalog: KernelCatalog, seed: UInt64) -> [[DrawnCase]] {
        let recorded = models.flatMap { configuration, batch, sequence in
            CallRecorder.calls(of: configuration, batch: batch, sequence: sequence)
        }
        return catalog.kernels.map { edges(of: $0, seed) + ofModels($0, recorded, seed) }
    }

    private static func edges<K: Kernel<Float>>(of kernel: K.Type, _ seed: UInt64) -> [DrawnCase] {
        let optional = Set(K().signature.arguments.filter(\.isOptional).map(\.name))
        return EdgeSizes.sizes(of: kernel, seed: seed).enumerated().map { number, sizes in
            // One in four goes without what may be absent, one overwrites what the others add to.
            DrawnCase(
                kernel: kernel,
                call: DrawnCall(
                    sizes: sizes, absent: number % 4 == 1 ? optional : [],
                    overwrites: number % 4 == 2 ? [.activations, .parameters] : [],
                    seed: seed &+ UInt64(number) << 32))
        }
    }

    // MARK: - The sizes of models

    /// The models and batches whose sizes kernels are tried at.
    private static let models: [(configuration: Configuration, batch: Int, sequence: Int)] = [
        (.d12, 1, 64), (.d12, 4, 64), (.d12, 1, 1024), (.d48, 1, 64),
    ]
    private static func ofModels<K: Kernel<Float>>(
        _ kernel: K.Type, _ recorded: [CallRecorder.Call], _ seed: UInt64
    ) -> [DrawnCase] {
        recorded.filter { $0.name == K.name }.reduce(into: []) { cases, call in
            guard let sizes = reduced(call.sizes, of: kernel) else { return }
            let drawn = DrawnCall(sizes: sizes, absent: call.absent, seed: seed)
            if !cases.contains(where: { $0.call == drawn }) { cases.append(DrawnCase(kernel: kernel, call: drawn)) }
        }
    }

    /// The sizes with the largest of those along which every result can be computed position by position cut in half, until
    /// the call is no larger than may be; nil where they cannot be.
    private static func reduced<K: Kernel<Float>>(_ whole: [String: Int], of _: K.Type) -> [String: Int]? {
        guard let signature = try? K.signature(sizes: whole) else { return nil }
        let common = signature.results.map(\.independent).reduce(Set(whole.keys)) { $0.intersection($1) }
        var counts = whole.filter { common.contains($0.key) }
        // What a forward call leaves must be computed for the whole of it.
        let most = DrawnCall.derived(of: K.InDouble.self).isEmpty ? 2_600_000_000 : 320_000_000
        while true {
            let sizes = signature.sizes(with: counts)
            let call = K(sizes: sizes) { _ in nil }
            let elements = call.signature.arguments.reduce(0) { $0 + $1.count }
            // Many elements only where there is much to compute of them.
            if call.cost.operations <= most, elements <= max(1 << 21, call.cost.operations >> 4) { return sizes }
            let largest = counts.max { ($0.value, $0.key) < ($1.value, $1.key) }
            guard let largest, largest.value > 1 else { return nil }
            counts[largest.key] = largest.value / 2
        }
    }
}
