import Foundation
import GPT2
import KernelCatalog
import Kernels
import Tensors
import Testing
import Tokenizer
import Training

/// A text is continued token by token as the whole model would, and drawn as asked.
struct GenerationTests {
    private let tokens = (0..<32).map { Int32($0 * 37 % 257) }

    /// The logits at every position, by the model without a cache.
    private func logits<Scalar: KernelScalar>(_ kernels: KernelSet<Scalar>) throws -> [Double] {
        let model = GPT2<Scalar>(configuration: .tiny, batch: 1, sequence: 32, kernels: kernels)
        model.initialize(seed: 8)
        for index in 0..<model.parameters.elements.count {
            // Wider than GPT-2's start, so that attention is no mere mean; the same numbers in float and double.
            let value = Float(model.parameters.elements[index]) * 6
            model.parameters.elements[index] = Scalar(value)
        }
        try model.load(inputs: tokens, targets: tokens)
        model.forward()
        let logits: View<Scalar> = model.activations[model.activationLayout.logits]
        return (0..<32).flatMap { row in (0..<257).map { Double(logits[row * 264 + $0]) } }
    }

    private func parameters() throws -> GPT2<Float> {
        let model = GPT2<Float>(
            configuration: .tiny, batch: 1, sequence: 1, kernels: try KernelCatalog.standard.set(named: "reference"))
        model.initialize(seed: 8)
        for index in 0..<model.parameters.elements.count { model.parameters.elements[index] *= 6 }
        return model
    }

    /// In any division into calls, and chunks within them, the error is no more than twice the worst without a cache: a
    /// row's own is a matter of chance, and differs by ten times from another's.
    @Test(arguments: [(1, 64), (3, 64), (32, 64), (32, 5), (7, 1)], ["reference", "fast"])
    func cachedLogits(_ division: (step: Int, chunk: Int), _ kernels: String) throws {
        let truth = try logits(KernelSet(KernelCatalog.standard.exact))
        let uncached = try logits(KernelCatalog.standard.set(named: kernels))
        let model = try parameters()
        var decoder = Decoder<Float>(
            configuration: .tiny, kernels: try KernelCatalog.standard.set(named: kernels, workers: Workers(count: 2)),
            chunk: division.chunk)
        func rmse(_ values: some Collection<Double>, _ row: Int) -> Double {
            (zip(values, truth[row * 257..<(row + 1) * 257]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / 257)
                .squareRoot()
        }
        let worst = (0..<32).map { rmse(uncached[$0 * 257..<($0 + 1) * 257], $0) }.max() ?? 0
        for start in stride(from: 0, to: 32, by: division.step) {
            let part = Array(tokens[start..<min(start + division.step, 32)])
            let row = start + part.count - 1
            let cached = try decoder.append(part, parameters: model.parameters).buffer.map { Double($0) }
            #expect(cached.count == 257 && decoder.position == row + 1)
            #expect(rmse(cached, row) <= 2 * worst, "row \(row)")
        }
    }

    @Test func tokensOutsideTheVocabulary() throws {
        let model = try parameters()
        var decoder = Decoder<Float>(configuration: .tiny, kernels: try KernelCatalog.standard.set(named: "fast"))
        #expect(throws: TokenError.self) { _ = try decoder.append([1, 257], parameters: model.parameters) }
        #expect(decoder.position == 0)
    }

    @Test func textsLongerThanTheBlock() throws {
        let model = try parameters()
        var decoder = Decoder<Float>(configuration: .tiny, kernels: try KernelCatalog.standard.set(named: "fast"))
        var sampler = Sampler(temperature: 1, seed: 1)
        var written: [Int32] = []
        try TextGenerator.run(
            &decoder, parameters: model.parameters, prompt: Array(tokens + tokens), endOfText: nil, count: 100,
            sampler: &sampler
        ) {
            written.append($0)
            return true
        }
        #expect(written.count == 100 && Set(written).count > 20)
    }

    // MARK: - Drawing

    private func draws(_ logits: [Float], _ sampler: Sampler, count: Int = 4000) -> [Int32: Int] {
        var sampler = sampler
        let tensor = Tensor(logits)
        return (0..<count).reduce(into: [:]) { counts, _ in
            counts[sampler.token(for: View(tensor.view)), default: 0] += 1
        }
    }

    private let logits: [Float] = [log(0.1), log(0.4), log(0.2), log(0.3)]

    @Test func coldTakesTheLikeliest() {
        #expect(draws(logits, Sampler(temperature: 0, seed: 1)) == [1: 4000])
        #expect(draws([1, 3, 3], Sampler(temperature: 0, seed: 1)) == [1: 4000])
    }

    @Test func probabilities() {
        let counts = draws(logits, Sampler(seed: 1), count: 40_000)
        for (token, probability) in [0.1, 0.4, 0.2, 0.3].enumerated() {
            // Five standard deviations of a binomial count.
            let deviation = (40_000 * probability * (1 - probability)).squareRoot()
            #expect(abs(Double(counts[Int32(token)] ?? 0) - 40_000 * probability) < 5 * deviation)
        }
        let hot = draws(logits, Sampler(temperature: 100, seed: 1), count: 40_000)
        #expect(hot.values.allSatisfy { $0 > 9000 })
    }

    @Test func topK() {
        #expect(Set(draws(logits, Sampler(topK: 2, seed: 1)).keys) == [1, 3])
        #expect(Set(draws(logits, Sampler(topK: 1, seed: 1)).keys) == [1])
        #expect(Set(draws(logits, Sampler(topK: 9, seed: 1)).keys) == [0, 1, 2, 3])
    }

    @Test(
        arguments: [(0.39, [1]), (0.5, [1, 3]), (0.85, [1, 2, 3]), (0.0, [1]), (1.0, [0, 1, 2, 3])]
            as [(Double, [Int32])])
    func topP(_ p: Double, _ expected: [Int32]) {
        #expect(draws(logits, Sampler(topP: p, seed: 1)).keys.sorted() == expected)
    }

    @Test func seeds() {
        #expect(draws(logits, Sampler(seed: 4)) == draws(logits, Sampler(seed: 4)))
        #expect(draws(logits, Sampler(seed: 4)) != draws(logits, Sampler(seed: 5)))
    }

    @Test func streamOfCharacters() {
        let text = "aé日🙂\u{301}b"
        var stream = TextStream()
        var parts: [String] = []
        for byte in text.utf8 { parts.append(stream.take([byte])) }
        #expect(parts.joined() == text && stream.finish().isEmpty)
        #expect(!parts.joined().contains("\u{fffd}"))
        #expect(stream.take([0xe6, 0x97]).isEmpty)
        #expect(stream.finish() == "\u{fffd}")
        #expect(stream.take([0xff, 0x61]) == "\u{fffd}a")
    }
}
