import Foundation
import GPT2
import KernelCatalog
import Kernels
import Tensors
import Testing

/// The model's parameters carry PyTorch's names, and its gradient is the slope of its loss.
struct GPT2Tests {
    @Test(arguments: [("124M", 124_439_808), ("355M", 354_823_168), ("774M", 774_030_080), ("1558M", 1_557_611_200)])
    func parameterCounts(_ name: String, count: Int) throws {
        var configuration = try #require(Configuration.named.first { $0.name == name }?.configuration)
        configuration.paddedVocabularySize = configuration.vocabularySize
        let layout = ParameterLayout(configuration).tensors
        #expect(layout.tensors.map(\.count).reduce(0, +) == count)
    }

    @Test func parameterNames() throws {
        let layout = ParameterLayout(.tiny)
        #expect(layout.h[1].attn.c_attn.weight.name == "transformer.h.1.attn.c_attn.weight")
        #expect(layout.tensors["transformer.h.1.mlp.c_proj.bias"]?.shape == [15])
        #expect(layout.tensors.tensors.count == 28)
        #expect(layout.tensors["transformer.wte"] == nil)
        let last = try #require(layout.tensors.tensors.last)
        #expect(layout.tensors.tensor(at: last.range.upperBound - 1) == last)
    }

    /// A step of the largest model, none of whose kernels run, takes up little memory: what is zero is not there.
    @Test func callsOfALargeModel() throws {
        let counter = CallCounter()
        var kernels = KernelSet<Float>()
        kernels.interceptor = counter
        let before = residentBytes()
        var model = GPT2(configuration: .d48, batch: 1, sequence: 64, kernels: kernels, memory: .lean)
        model.forward()
        model.backward(overwrites: true)
        model.update(AdamW.Hyperparameters(), step: 1)
        #expect(counter.count == 1 + 10 * 48 + 3 + 8 * 48 + 4 + 580)
        #expect(residentBytes() - before < 1 << 29)
    }

    /// Central differences in double, along a random direction of each parameter, through two micro-batches.
    @Test(arguments: ActivationMemory.allCases) func gradientIsTheSlopeOfTheLoss(_ memory: ActivationMemory) throws {
        let model = GPT2<Double>(
            configuration: .tiny, batch: 2, sequence: 5, kernels: KernelSet(KernelCatalog.standard.exact),
            memory: memory)
        model.initialize(seed: 3)
        let batches = [(0, 1), (40, 7)].map { start, stride in (0..<11).map { Int32((start + $0 * stride) % 257) } }
        func loss(gradients: Bool = false) throws -> Double {
            var sum = 0.0
            // What was there before must not count.
            if gradients { fillGradients(of: model, with: .nan) }
            for (index, batch) in batches.enumerated() {
                try model.load(inputs: batch[..<10], targets: batch[1...])
                sum += model.forward() / 2
                if gradients { model.backward(scale: 0.5, overwrites: index == 0) }
            }
            return sum
        }
        _ = try loss(gradients: true)
        var draw = SplitMix64(state: 5)
        for tensor in model.parameterLayout.tensors.tensors {
            let parameter: MutableView<Double> = model.parameters[tensor]
            let gradient: MutableView<Double> = model.parameterGradients[tensor]
            // The vocabulary's padding stays 0.
            let count = tensor.name == "transformer.wte.weight" ? 257 * 15 : tensor.count
            let direction = (0..<count).map { _ in draw.normal() }
            let expected = (0..<count).reduce(0) { $0 + gradient[$1] * direction[$1] }
            let step = 1e-5
            for i in 0..<count { parameter[i] += step * direction[i] }
            let above = try loss()
            for i in 0..<count { parameter[i] -= 2 * step * direction[i] }
            let below = try loss()
            for i in 0..<count { parameter[i] += step * direction[i] }
            let slope = (above - below) / (2 * step)
            #expect(abs(slope - expected) <= 1e-6 * max(1, abs(expected)), "\(tensor.name)")
        }
    }

    /// A lean model computes what a complete one does, whatever of its kernels are fused, overwrite or do not.
    @Test(arguments: KernelCatalog.standard.names, KernelCatalog.standard.names)
    func leanIsTheSame(_ name: String, _ other: String) throws {
        func gradients(_ name: String, _ memory: ActivationMemory, overwrites: Bool) throws -> (Double, [Float]) {
            let model = GPT2<Float>(
                configuration: .tiny, batch: 2, sequence: 9,
                kernels: try KernelCatalog.standard.set(named: name, workers: Workers(count: 2)), memory: memory)
            model.initialize(seed: 4)
            try model.load(inputs: (0..<18).map { $0 * 7 % 257 }, targets: (0..<18).map { $0 * 3 + 1 })
            let loss = model.forward()
            fillGradients(of: model, with: overwrites ? .nan : 0)
            model.backward(overwrites: overwrites)
            return (loss, Array(model.parameterGradients.elements.buffer))
        }
        let (loss, truth) = try gradients(name, .complete, overwrites: false)
        let scale = truth.reduce(0) { max($0, abs($1)) }
        for (memory, overwrites) in [(ActivationMemory.lean, true), (.lean, false), (.complete, true)] {
            let (found, answer) = try gradients(other, memory, overwrites: overwrites)
            #expect(abs(found - loss) <= 1e-6 * loss)
            #expect(zip(answer, truth).allSatisfy { abs($0 - $1) <= 1e-5 * scale }, "\(memory), \(overwrites)")
        }
    }

    @Test(arguments: ActivationMemory.allCases) func learns(_ memory: ActivationMemory) throws {
        var model = GPT2<Float>(
            configuration: .tiny, batch: 1, sequence: 16, kernels: try KernelCatalog.standard.set(named: "fast"),
            memory: memory)
        model.initialize(seed: 1)
        let tokens = (0..<17).map { Int32($0 * 5 % 11) }
        try model.load(inputs: tokens[..<16], targets: tokens[1...])
        let first = model.forward()
        var hyperparameters = AdamW.Hyperparameters()
        hyperparameters.learningRate = 0.01
        for step in 1...40 {
            model.forward()
            model.zeroGradients()
            model.backward()
            model.update(hyperparameters, step: step)
        }
        #expect(model.forward() < first / 4)
        let padding: View<Float> = model.parameters[model.parameterLayout.wte]
        #expect((257 * 15..<264 * 15).allSatisfy { padding[$0] == 0 })
    }

    @Test(arguments: [Int32(257), -1, .max])
    func tokensOutsideTheVocabulary(_ token: Int32) throws {
        let model = GPT2<Float>(
            configuration: .tiny, batch: 1, sequence: 3, kernels: KernelSet(KernelCatalog.standard.reference))
        #expect(throws: TokenError.self) { try model.load(inputs: [1, token, 2], targets: [0, 0, 0]) }
        #expect(throws: TokenError.self) { try model.load(inputs: [1, 1, 2], targets: [0, 0, token]) }
    }

    private func fillGradients<Scalar>(of model: borrowing GPT2<Scalar>, with value: Scalar) {
        for tensor in model.parameterLayout.tensors.tensors {
            let view: MutableView<Scalar> = model.parameterGradients[tensor]
            view.fill(value)
        }
    }
}

/// Counts calls, and makes none.
private final class CallCounter: KernelInterceptor {
    typealias Scalar = Float
    private(set) var count = 0

    func intercept<K: Kernel>(_ call: K, run: (K) -> Void) where K.Scalar == Float { count += 1 }
}

/// What the process holds of the machine's memory; 0 where that is not told.
private func residentBytes() -> Int {
    let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
    return (pages?.dropFirst().first.flatMap { Int($0) } ?? 0) * Int(getpagesize())
}
