import Kernels
import Tensors

/// What a model asks its kernels to do: each call's kernel, sizes and place, and nothing is computed.
///
/// Sizes to time and to judge kernels at come from here, so that they cannot be others than the model's.
public final class CallRecorder: KernelInterceptor {
    public typealias Scalar = Float

    /// A call of the model.
    public struct Call: Sendable {
        /// The kernel.
        public let kernel: any Kernel<Float>.Type
        /// The sizes, by name.
        public let sizes: [String: Int]
        /// The optional arguments that it goes without.
        public let absent: Set<String>
        /// The tensor that it is about, such as `fch`; backward, that which forward wrote.
        public let place: String
        let operations: Int
        let isOfGeneration: Bool

        /// The name of the kernel.
        public var name: KernelName { kernel.name }
    }

    /// The calls, each kernel's at each size once.
    private(set) var calls: [Call] = []
    private var names: [UnsafeMutableRawPointer: String] = [:]
    private var isListening = true
    private var isGenerating = false

    /// The calls of a training step of a block and of what surrounds the blocks, and those of generation alone.
    ///
    /// Calls that are less than a fiftieth of their kernel's work are left out.
    public static func calls(of configuration: Configuration, batch: Int, sequence: Int) -> [Call] {
        // All blocks are alike.
        var one = configuration
        one.layers = 1
        let recorder = CallRecorder()
        for memory in ActivationMemory.allCases { recorder.recordStep(one, batch, sequence, memory) }
        let training = Set(recorder.calls.map(\.name))
        recorder.recordGeneration(one, sequence)
        let calls = recorder.calls.filter { !$0.isOfGeneration || !training.contains($0.name) }
        let work = Dictionary(grouping: calls, by: \.name).mapValues { $0.reduce(0) { $0 + $1.operations } }
        return calls.filter { 50 * $0.operations >= work[$0.name, default: 0] }
    }

    /// The calls of a training step with that memory.
    public static func calls(
        of configuration: Configuration, batch: Int, sequence: Int, memory: ActivationMemory
    ) -> [Call] {
        let recorder = CallRecorder()
        recorder.recordStep(configuration, batch, sequence, memory)
        return recorder.calls
    }

    private func recordStep(_ configuration: Configuration, _ batch: Int, _ sequence: Int, _ memory: ActivationMemory) {
        var kernels = KernelSet<Float>()
        kernels.interceptor = self
        var model = GPT2(
            configuration: configuration, batch: batch, sequence: sequence, kernels: kernels, memory: memory)
        name(model.parameters)
        name(model.activations)
        model.forward()
        model.backward(overwrites: true)
        // Past the first steps, where the corrections of the moments are large.
        model.update(AdamW.Hyperparameters(), step: 10)
        names = [:]
    }

    /// The last token of a text of that length.
    private func recordGeneration(_ configuration: Configuration, _ length: Int) {
        var kernels = KernelSet<Float>()
        kernels.interceptor = self
        let parameters = Arena<Float>(ParameterLayout(configuration).tensors)
        var decoder = Decoder(configuration: configuration, kernels: kernels, chunk: length)
        let text = [Int32](repeating: 0, count: length)
        (isListening, isGenerating) = (false, true)
        do {
            if length > 1 { _ = try decoder.append(Array(text.dropLast()), parameters: parameters) }
            isListening = true
            _ = try decoder.append([0], parameters: parameters)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    private func name(_ arena: borrowing Arena<Float>) {
        for tensor in arena.layout.tensors {
            let parts = tensor.name.split(separator: ".")
            let view: MutableView<Float> = arena[tensor]
            // Of a parameter, its layer too: c_fc.weight.
            names[UnsafeMutableRawPointer(view.base)] = parts.suffix(
                parts.last == "weight" || parts.last == "bias" ? 2 : 1
            )
            .joined(separator: ".")
        }
    }

    public func intercept<K: Kernel>(_ call: K, run: (K) -> Void) where K.Scalar == Float {
        guard isListening else { return }
        let presented = call.presented
        let arguments = presented.arguments
        let absent = Set(arguments.filter { !$0.isPresent }.map(\.argument.name))
        let sizes = presented.signature.sizesByName
        guard !calls.contains(where: { $0.name == K.name && $0.sizes == sizes && $0.absent == absent }) else {
            return
        }
        let result = arguments.first { $0.argument.isResult }
        calls.append(
            Call(
                kernel: K.self, sizes: sizes, absent: absent,
                place: forwardPlace(K.self, sizes) ?? result?.address.flatMap { names[$0] }
                    ?? result?.argument.name ?? "", operations: call.cost.operations, isOfGeneration: isGenerating))
    }

    /// The place of the forward call of which this is the derivative.
    private func forwardPlace<K: Kernel<Float>>(_ kernel: K.Type, _ sizes: [String: Int]) -> String? {
        guard let backward = kernel as? any (BackwardKernel & Kernel<Float>).Type else { return nil }
        func last<B: BackwardKernel>(_: B.Type) -> KernelName? where B.Scalar == Float {
            B.derivative.forward.last?.name
        }
        let forward = last(backward)
        return calls.first { call in
            call.name == forward && call.sizes.allSatisfy { sizes[$0.key] == $0.value }
        }?.place
    }
}
