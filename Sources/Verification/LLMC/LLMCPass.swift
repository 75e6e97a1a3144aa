import Fixtures
import GPT2
import Kernels
import ModelFormats
import Tensors

/// One pass, forward and backward, over the tokens of a debug state of llm.c's.
struct LLMCPass<Scalar: KernelScalar>: ~Copyable {
    private var model: GPT2<Scalar>
    private let loss: Double

    /// Makes the pass, with those parameters; `progress` is told the fraction done.
    ///
    /// - Throws: ``FixtureError`` when a token of the state lies outside the vocabulary, ``ModelFormatError`` when it
    ///   cannot be read.
    init(
        _ configuration: Configuration, _ parameters: borrowing Arena<Float>, _ stored: LLMCStateFile, state: String,
        _ kernels: KernelSet<Scalar>, progress: @escaping (Double) -> Void
    ) throws {
        let (inputs, targets) = (try stored.inputs(), try stored.targets())
        var model = GPT2<Scalar>(
            configuration: configuration, batch: stored.batch, sequence: stored.sequence, kernels: kernels)
        for tensor in model.parameterLayout.tensors.tensors {
            let (source, target): (View<Float>, MutableView<Scalar>) = (parameters[tensor], model.parameters[tensor])
            for index in 0..<tensor.count { target[index] = Scalar(source[index]) }
        }
        do throws(TokenError) {
            try model.load(inputs: inputs, targets: targets)
        } catch {
            throw FixtureError(
                file: state, dataset: error.name,
                "token \(error.token) at \(error.position) lies outside the vocabulary of \(error.vocabulary)",
                remedy: "give the state that was written with this model")
        }
        // Two operations for each parameter and token forward, twice as many backward: close enough for a bar.
        let total = 6 * Double(parameters.layout.count) * Double(stored.batch * stored.sequence)
        model.kernels.interceptor = CostFollower<Scalar> { progress(min($0 / total, 1)) }
        loss = model.forward()
        model.backward()
        model.kernels.interceptor = nil
        self.model = model
    }

    /// The elements of a tensor that the state records, in the state's order.
    func values(_ recorded: RecordedTensor) -> (Int) -> Double {
        if let parameter = recorded.parameter {
            let view: View<Scalar> = model.parameterGradients[parameter]
            return { Double(view[$0]) }
        }
        guard recorded.shape.count > 1 else { return { [loss] _ in loss } }
        let view: View<Scalar> = model.activations[model.activationLayout.logits]
        let (V, Vp) = (model.configuration.vocabularySize, model.configuration.paddedVocabularySize)
        return { Double(view[$0 / V * Vp + $0 % V]) }
    }
}

extension LLMCPass<Float> {
    /// Which kernel writes which tensor last, by the tensor's path; no kernel runs for it.
    mutating func writes() throws(FixtureError) -> [String: CallWatcher.Write] {
        let writes = try CallWatcher.executionOrder(of: &model)
        return Dictionary(writes.map { ($0.tensor.path, $0) }) { first, _ in first }
    }
}

/// Adds up what the calls of a model cost.
private final class CostFollower<Scalar: KernelScalar>: KernelInterceptor {
    private let report: (Double) -> Void
    private var operations = 0.0

    init(_ report: @escaping (Double) -> Void) { self.report = report }

    func intercept<K: Kernel>(_ call: K, run: (K) -> Void) where K.Scalar == Scalar {
        run(call)
        operations += Double(call.cost.operations)
        report(operations)
    }
}
