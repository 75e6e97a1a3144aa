import Foundation
import GPT2
import KernelCatalog
import Kernels
import ModelFormats
import SelfTest
import Tensors
import TestSupport
import Testing
import Verification

/// Kernels are judged by a model and a debug state in llm.c's formats.
struct LLMCComparisonTests {
    private static let configuration = Configuration(
        blockSize: 16, vocabularySize: 61, paddedVocabularySize: 64, layers: 2, heads: 2, channels: 8)
    private static let (batch, sequence) = (2, 8)

    /// A model and its state, written to a folder.
    private final class Files {
        let folder: TemporaryFolder
        let model, state: String
        /// The bytes of the state, and where its logits, loss and gradients start.
        var bytes: Data
        let logits = 1024 + 8 * batch * sequence
        var loss: Int { logits + 4 * batch * sequence * configuration.vocabularySize }
        var gradients: Int { loss + 4 }

        init(_ suffix: String = ".bin") throws {
            folder = try TemporaryFolder()
            (model, state) = (folder.path + "/model\(suffix)", folder.path + "/state.bin")
            let start = GPT2<Float>(
                configuration: configuration, batch: batch, sequence: sequence,
                kernels: KernelSet(KernelCatalog.standard.reference))
            start.initialize(seed: 3)
            // Wider than GPT-2's start, norms and biases too, so that every term of every kernel matters.
            var generator = SplitMix64(state: 7)
            for tensor in start.parameterLayout.tensors.tensors {
                let view: MutableView<Float> = start.parameters[tensor]
                for index in 0..<view.count where view[index] != 0 || tensor.shape.count == 1 {
                    view[index] += Float(0.3 * generator.normal())
                }
            }
            try StoredModel.export(start.parameters, configuration, endOfText: nil, to: model)
            try StoredModel(model).loadParameters(into: start.parameters)
            bytes = try Self.state(of: start)
            try write()
        }

        func write() throws { try bytes.write(to: URL(fileURLWithPath: state)) }

        /// The state in llm.c's order, from the reference in float32.
        private static func state(of model: borrowing GPT2<Float>) throws -> Data {
            var generator = SplitMix64(state: 5)
            let tokens = (0..<2 * batch * sequence).map { _ in
                Int32.random(in: 0..<Int32(configuration.vocabularySize), using: &generator)
            }
            let (inputs, targets) = (tokens.prefix(batch * sequence), tokens.suffix(batch * sequence))
            try model.load(inputs: inputs, targets: targets)
            let loss = model.forward()
            model.backward()
            var header = [Int32](repeating: 0, count: 256)
            header.replaceSubrange(0..<4, with: [20_240_327, 2, Int32(batch), Int32(sequence)])
            var data = (header + tokens).withUnsafeBytes { Data($0) }
            func append(_ values: some Sequence<Float>) {
                Array(values).withUnsafeBytes { data.append(contentsOf: $0) }
            }
            let logits: View<Float> = model.activations[model.activationLayout.logits]
            for row in 0..<batch * sequence {
                append((0..<configuration.vocabularySize).map { logits[row * configuration.paddedVocabularySize + $0] })
            }
            append([Float(loss)])
            let w = model.parameterLayout
            append((model.parameterGradients[w.wte] as View<Float>).buffer)
            append((model.parameterGradients[w.wpe] as View<Float>).buffer)
            let kinds = [
                "ln_1.weight", "ln_1.bias", "attn.c_attn.weight", "attn.c_attn.bias", "attn.c_proj.weight",
                "attn.c_proj.bias", "ln_2.weight", "ln_2.bias", "mlp.c_fc.weight", "mlp.c_fc.bias",
                "mlp.c_proj.weight", "mlp.c_proj.bias",
            ]
            for name in kinds.flatMap({ kind in (0..<configuration.layers).map { "h.\($0).\(kind)" } })
                + ["ln_f.weight", "ln_f.bias"]
            {
                let tensor = try #require(w.tensors["transformer.\(name)"])
                append((model.parameterGradients[tensor] as View<Float>).buffer)
            }
            return data
        }

        func change(_ offset: Int, _ value: Float) throws {
            withUnsafeBytes(of: value) { bytes.replaceSubrange(offset..<offset + 4, with: $0) }
            try write()
        }

        func header(_ word: Int, _ value: Int32) throws {
            withUnsafeBytes(of: value) { bytes.replaceSubrange(4 * word..<4 * word + 4, with: $0) }
            try write()
        }

        func value(_ offset: Int) -> Float {
            bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Float.self) }
        }

        func outcome(_ kernels: KernelSet<Float>? = nil) throws -> VerificationOutcome {
            try LLMCComparison(
                model: model, state: state, kernels: kernels ?? KernelCatalog.standard.set(named: "fast")
            ).run()
        }
    }

    @Test(arguments: [".bin", ".bf16.bin"], KernelCatalog.standard.names)
    func rightKernelsHold(_ suffix: String, _ kernels: String) throws {
        let outcome = try Files(suffix).outcome(KernelCatalog.standard.set(named: kernels))
        #expect(outcome.verdict == .pass, "\(outcome.blamed?.explanation ?? "")")
        // Logits, loss, and the gradients: 12 for each block and 4 besides.
        #expect(outcome.rows.count == 2 + 12 * Self.configuration.layers + 4)
        #expect(outcome.rows.first?.tensor == "logits" && outcome.rows.dropFirst().first?.tensor == "loss")
        #expect(outcome.fixtures[0].listed == outcome.rows.count && outcome.fixtures[0].sha256.count == 64)
    }

    @Test(arguments: [
        ("gelu", Pass.forward, "0.044715 made 0.0447", "logits"),
        ("layernorm", .backward, "scaled by 1.01", "dtransformer.ln_f.bias"),
        ("attention", .backward, "1/√hs missing in dq", "dtransformer.h.1.attn.c_attn.bias"),
        ("crossentropy", .forward, "scaled by 1.01", "loss"),
        ("encoder", .backward, "NaN in the last element", "dtransformer.wte.weight"),
    ])
    func wrongKernelsDoNot(_ operation: String, _ pass: Pass, _ name: String, first tensor: String) throws {
        let fault = try #require(
            FaultCatalogue.kernelFaults.first { $0.kernel == KernelName(operation, pass) && $0.name == name })
        var kernels = KernelSet<Float>(KernelCatalog.standard.reference)
        kernels.use(fault.implementation)
        let outcome = try Files().outcome(kernels)
        #expect(outcome.verdict == .fail)
        #expect(outcome.blamed?.tensor == tensor)
    }

    /// The error about a state that was changed so.
    private func refusal(_ change: (Files) throws -> Void) throws -> String {
        let files = try Files()
        try change(files)
        do {
            _ = try files.outcome()
            Issue.record("accepted")
            return ""
        } catch {
            #expect("\(error)".hasPrefix(files.state + ": "))
            return "\(error)"
        }
    }

    /// A state that is not what float32 gives must not widen the bands: it is refused, and the tensor named.
    @Test func aStateThatCannotBeBelieved() throws {
        func refusal(_ change: (Files) throws -> Void) throws -> String {
            let error = try self.refusal(change)
            #expect(error.contains("; give the state") && !error.contains("\n"))
            return error
        }
        #expect(try refusal { try $0.change($0.logits + 44, $0.value($0.logits + 44) + 0.01) }.contains("logits: "))
        #expect(try refusal { try $0.change($0.loss, $0.value($0.loss) * 1.01) }.contains("loss: "))
        #expect(
            try refusal { try $0.change($0.gradients + 80, $0.value($0.gradients + 80) + 0.01) }.contains(
                "dtransformer.wte.weight: "))
        #expect(try refusal { try $0.change($0.bytes.count - 4, .nan) }.contains("dtransformer.ln_f.bias: element 7"))
        // Padding that is not 0.
        #expect(
            try refusal {
                try $0.change($0.gradients + 4 * Self.configuration.vocabularySize * 8, 0.01)
            }.contains("dtransformer.wte.weight: "))
        #expect(try refusal { try $0.header(256, 61) }.contains("inputs: token 61 at 0"))
    }

    @Test func unusableFiles() throws {
        #expect(try refusal { try $0.header(0, 20_240_326) }.contains("not a debug state of llm.c"))
        #expect(try refusal { try $0.header(1, 1) }.contains("its version is 1"))
        #expect(try refusal { try $0.header(2, 3) }.contains("truncated, or of another model"))
        #expect(try refusal { try $0.header(2, -1) }.contains("its B is -1"))
        #expect(try refusal { try $0.header(3, 17) }.contains("its T 17"))
        #expect(
            try refusal {
                $0.bytes.removeLast(4); try $0.write()
            }.contains("truncated"))
        #expect(
            try refusal {
                $0.bytes = Data(); try $0.write()
            }.contains("not a debug state"))
        #expect(try refusal { try FileManager.default.removeItem(atPath: $0.state) }.contains("there is no such file"))
    }
}
