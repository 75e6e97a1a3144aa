import Accuracy
import KernelCatalog
import Kernels
import Tensors

/// Asks, of each kernel that wrote a failed tensor, whether the kernel is wrong or what it was given: the reference kernel
/// gets the same arguments.
final class Arbiter: KernelInterceptor {
    typealias Scalar = Float

    /// The tensors on which a kernel and the reference kernel disagree.
    private(set) var disagreements: Set<String> = []
    private let tensors: ModelTensors
    private let bounds: [String: Double]
    private let reference = KernelSet(KernelCatalog.standard.reference)

    /// An arbiter of the tensors at those paths; each bound is that of the root mean square difference.
    init(_ tensors: ModelTensors, bounds: [(path: String, bound: Double)]) {
        self.tensors = tensors
        self.bounds = Dictionary(bounds) { first, _ in first }
    }

    func intercept<K: Kernel>(_ call: K, run: (K) -> Void) where K.Scalar == Float {
        let results = call.results
        guard results.contains(where: { bound(of: $0.view) != nil }) else { return run(call) }
        let before = results.map { Array($0.view.buffer) }
        reference.run(call)
        let right = results.map { Array($0.view.buffer) }
        for (result, values) in zip(results, before) {
            _ = result.view.buffer.update(fromContentsOf: values)
        }
        run(call)
        for (result, right) in zip(results, right) {
            guard let (path, bound) = bound(of: result.view) else { continue }
            var squares = 0.0
            var count = 0
            for index in right.indices where result.argument.coverage.contains(index, shape: result.argument.shape) {
                let error = ErrorMeasure.error(Double(result.view[index]), Double(right[index]))
                squares += error * error
                count += 1
            }
            // Written so that NaN disagrees.
            if !((squares / Double(max(count, 1))).squareRoot() <= bound) { disagreements.insert(path) }
        }
    }

    private func bound(of view: MutableView<Float>) -> (path: String, bound: Double)? {
        guard let path = tensors[UnsafePointer(view.base)]?.path else { return nil }
        return bounds[path].map { (path, $0) }
    }
}

/// Hands each call through two interceptors.
final class InterceptorChain: KernelInterceptor {
    typealias Scalar = Float

    private let outer, inner: any KernelInterceptor<Float>

    /// Calls go to `outer`, and what it makes of them to `inner`.
    init(_ outer: any KernelInterceptor<Float>, _ inner: any KernelInterceptor<Float>) {
        self.outer = outer
        self.inner = inner
    }

    func intercept<K: Kernel>(_ call: K, run: (K) -> Void) where K.Scalar == Float {
        outer.intercept(call) { inner.intercept($0, run: run) }
    }
}
