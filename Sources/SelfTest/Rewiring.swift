import Kernels
import Tensors

/// A model wired wrongly: the kernels are right, and some calls of one kernel are other calls than they should be.
public struct WiringFault: Sendable {
    /// What is wrong, in words.
    public let name: String
    /// Changes the calls of a model; a new one for each model.
    let makeInterceptor: @Sendable () -> any KernelInterceptor<Float>

    /// A fault that changes the calls of `K`: `change` gets a call, its number among those of `K` since the last
    /// `Encoder.Forward`, and memory that lasts; it returns false for a call that is left out.
    init<K: Kernel<Float>>(
        _ name: String, _ kernel: K.Type,
        _ change: @escaping @Sendable (_ call: inout K, _ number: Int, _ memory: Rewiring<K>.WiringMemory) -> Bool
    ) {
        self.name = name
        makeInterceptor = { Rewiring(change) }
    }
}

/// Changes the calls of `Target`.
final class Rewiring<Target: Kernel<Float>>: KernelInterceptor {
    typealias Scalar = Float

    /// What a rewiring remembers, and memory that it hands to kernels.
    final class WiringMemory {
        /// The calls of the target as they should have been, in this pass.
        fileprivate(set) var calls: [Target] = []
        /// The last call of the encoder, which has the tokens.
        fileprivate(set) var encoder: Encoder.Forward<Float>?
        private var scratch: [Int: GrownTensor] = [:]

        /// Memory of its own, `count` elements of `value`; the same for the same key.
        func scratch(_ count: Int, repeating value: Float = 0, key: Int = 0) -> MutableView<Float> {
            let tensor = scratch[key] ?? GrownTensor()
            scratch[key] = tensor
            return tensor.view(count, repeating: value)
        }

        /// A copy of `view`, changed, that lasts as long as the key is not used again.
        func copy(_ view: View<Float>, key: Int = 0, _ change: (Int, Float) -> Float) -> View<Float> {
            let copy = scratch(view.count, key: key)
            for i in 0..<view.count { copy[i] = change(i, view[i]) }
            return View(copy)
        }

        /// What was remembered under a key, and what to remember from now on.
        func exchange(_ values: [Float], key: Int) -> [Float]? {
            defer { remembered[key] = values }
            return remembered[key]
        }
        private var remembered: [Int: [Float]] = [:]
    }

    private let change: (inout Target, Int, WiringMemory) -> Bool
    private let memory = WiringMemory()

    init(_ change: @escaping (inout Target, Int, WiringMemory) -> Bool) { self.change = change }

    func intercept<K: Kernel>(_ call: K, run: (K) -> Void) where K.Scalar == Float {
        if let encoder = call as? Encoder.Forward<Float> {
            memory.encoder = encoder
            memory.calls = []
        }
        guard var target = call as? Target else { return run(call) }
        let number = memory.calls.count
        memory.calls.append(target)
        guard change(&target, number, memory), let changed = target as? K else { return }
        run(changed)
    }
}

/// A tensor that can be asked for at any size.
final class GrownTensor {
    private var tensor = Tensor<Float>(repeating: 0, count: 0)

    func view(_ count: Int, repeating value: Float) -> MutableView<Float> {
        if tensor.view.count != count { tensor = Tensor(repeating: value, count: count) }
        tensor.view.fill(value)
        return tensor.view
    }
}
