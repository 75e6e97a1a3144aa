import Foundation
import GPT2
import Kernels
import Tensors
import TestSupport
import Testing
import Training

/// A run learns, can be stopped anywhere, and stops by itself when it goes wrong.
struct TrainerTests {
    @Test func learns() throws {
        var trainer = try trainer(steps: 120)
        let first = try trainer.step().loss
        var last = 0.0
        while !trainer.isDone { last = try trainer.step().loss }
        #expect(abs(first - log(257)) < 0.1)
        #expect(last < first - 1.5)
        let validation = try #require(try trainer.validate())
        #expect(validation < first - 1)
        #expect(trainer.progress.history.losses.count == 120)
        #expect(trainer.progress.position == 480)
    }

    /// Wherever it is stopped, and whatever is done beside the steps, the end is the same to the bit.
    @Test(arguments: [0, 1, 7, 19, 20])
    func resumesToTheBit(_ stop: Int) throws {
        let folder = try TemporaryFolder()
        var whole = try trainer(steps: 20)
        while !whole.isDone {
            _ = try whole.step()
            if whole.progress.step % 10 == 0 { _ = try whole.validate() }
        }
        try whole.save(to: folder("whole.h5"))

        var first = try trainer(steps: 20)
        while first.progress.step < stop {
            _ = try first.step()
            if first.progress.step % 10 == 0 { _ = try first.validate() }
            _ = try first.sample(count: 3)
        }
        try first.save(to: folder("half.h5"))
        var second = try resumed(folder("half.h5"))
        while !second.isDone {
            _ = try second.step()
            if second.progress.step % 10 == 0 { _ = try second.validate() }
        }
        try second.save(to: folder("resumed.h5"))
        #expect(try contents(folder("resumed.h5")) == contents(folder("whole.h5")))
    }

    @Test func resumesOnlyOnTheSameTokens() throws {
        let folder = try TemporaryFolder()
        try trainer(steps: 5).save(to: folder("run.h5"))
        var other = someTokens
        other[100] += 1
        let error = try #require(throws: TrainingError.self) { _ = try resumed(folder("run.h5"), tokens: other) }
        #expect(error.description.contains("other tokens") && error.description.contains("--model"))
    }

    /// Without the optimizer, accumulated gradients are those of one large batch.
    @Test func accumulationIsALargerBatch() throws {
        func norm(batch: Int, accumulation: Int) throws -> Double {
            let model = try model(batch: batch)
            model.initialize(seed: 3)
            var settings = settings(steps: 1)
            (settings.batch, settings.accumulation, settings.isShuffled) = (batch, accumulation, false)
            var trainer = try Trainer(
                model: model, progress: TrainingProgress(settings: settings, source: TrainingSource(text: ["text"])),
                tokenizer: .bytes, data: TokenData(someTokens), validation: nil)
            return try trainer.step().gradientNorm
        }
        let (one, many) = (try norm(batch: 6, accumulation: 1), try norm(batch: 2, accumulation: 3))
        #expect(abs(one - many) < 1e-5 * one)
    }

    @Test func divergenceIsAnErrorAndLosesNothing() throws {
        let folder = try TemporaryFolder()
        var trainer = try trainer(steps: 200, learningRate: 10)
        try trainer.save(to: folder("run.h5"))
        let before = try contents(folder("run.h5"))
        let model = trainer.progress
        // The gradient of a parameter that is not finite is not finite either.
        let wte: MutableView<Float> = trainer.model.parameters[trainer.model.parameterLayout.wte]
        wte[3] = .infinity
        let error = try #require(throws: TrainingError.self) { for _ in 0..<3 { _ = try trainer.step() } }
        #expect(error.description.contains("step 1: the loss is") && error.description.contains("--learning-rate"))
        #expect(trainer.progress.step == model.step)
        let refusal = try #require(throws: TrainingError.self) { try trainer.save(to: folder("run.h5")) }
        #expect(refusal.description.contains("transformer.wte.weight is no longer finite"))
        #expect(try contents(folder("run.h5")) == before)
    }

    @Test func tooFewTokens() throws {
        let error = try #require(throws: TrainingError.self) { _ = try trainer(steps: 1, tokens: [1, 2, 3]) }
        #expect(error.description.contains("too few"))
    }

    @Test(arguments: [(0.5, 0.5), (1e9, nil)] as [(Double, Double?)])
    func clipping(_ limit: Double, _ expected: Double?) throws {
        let model = try model()
        model.initialize(seed: 3)
        try model.load(inputs: someTokens[..<16], targets: someTokens[1...16])
        model.forward()
        model.backward()
        let gradients = model.parameterGradients.elements
        let before = gradients.buffer.map { Double($0) }
        let norm = before.reduce(0) { $0 + $1 * $1 }.squareRoot()
        #expect(abs(model.clipGradients(to: limit) - norm) < 1e-9 * norm)
        let factor = expected.map { $0 / (norm + 1e-6) } ?? 1
        #expect(zip(before, gradients.buffer).allSatisfy { abs($0 * factor - Double($1)) <= 1e-7 * abs($0 * factor) })
        if let expected { #expect(abs(model.gradientNorm() - expected) < 1e-5) }
    }

    @Test func schedule() {
        let schedule = LearningRateSchedule(peak: 1, final: 0.1, warmupSteps: 4, steps: 14)
        #expect([1, 2, 4].map { schedule.rate(at: $0) } == [0.25, 0.5, 1])
        #expect(schedule.rate(at: 5) == 1)
        #expect(abs(schedule.rate(at: 10) - 0.55) < 1e-12)
        #expect(schedule.rate(at: 14) < 0.13 && schedule.rate(at: 14) > 0.1)
        #expect(schedule.rate(at: 15) == 0.1)
        #expect(LearningRateSchedule(peak: 1, final: 1, warmupSteps: 0, steps: 3).rate(at: 1) == 1)
    }
}
