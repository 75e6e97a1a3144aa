import Fixtures
import GPT2
import Kernels

extension CallWatcher {
    /// The results of one pass of a model, forward and backward, in the order in which they are complete, each with the
    /// kernel that writes it last. It follows from the model's calls; no kernel runs. Activations' gradients are cleared.
    static func executionOrder(of model: inout GPT2<Float>) throws(FixtureError) -> [Write] {
        let watcher = CallWatcher(ModelTensors(model), forcing: nil)
        model.kernels.interceptor = InterceptorChain(watcher, Idle())
        defer { model.kernels.interceptor = nil }
        var writes: [Write] = []
        try watcher.watch { write throws(FixtureError) in
            writes.append(write)
        } during: {
            model.forward()
            model.backward()
        }
        return writes
    }

    /// Makes no call.
    private final class Idle: KernelInterceptor {
        typealias Scalar = Float

        func intercept<K: Kernel>(_ call: K, run: (K) -> Void) where K.Scalar == Float {}
    }
}
