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
    /// The most operations and elements of a call: what is larger is tried at fewer of its independent positions.
    private static let most = (operations: 320_000_000, elements: 1 << 21)

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
        var sizes = whole
        while true {
            let call = K(sizes: sizes) { _ in nil }
            let signature = call.signature
            let elements = signature.arguments.reduce(0) { $0 + $1.count }
            if call.cost.operations <= most.operations, elements <= most.elements { return sizes }
            let independent = signature.results.map(\.independent).reduce(Set(sizes.keys)) { $0.intersection($1) }
            let largest = independent.max { (sizes[$0, default: 0], $0) < (sizes[$1, default: 0], $1) }
            guard let largest, let size = sizes[largest], size > 1 else { return nil }
            sizes[largest] = size / 2
            if (try? K.signature(sizes: sizes)) == nil { return nil }
        }
    }
}
