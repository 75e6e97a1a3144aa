import KernelCatalog
import Kernels
import Tensors
import Testing

/// The contracts of all kernels agree with one another and with the catalog.
struct ContractTests {
    @Test func everyKernelHasAReference() {
        let kernels = KernelCatalog.standard.kernels.map { $0.name }
        #expect(Set(kernels).count == kernels.count)
        for implementation in KernelCatalog.standard.implementations {
            #expect(kernels.contains(implementation.kernelName))
        }
        #expect(
            KernelCatalog.standard.operations == [
                "encoder", "layernorm", "matmul", "attention", "gelu", "residual", "softmax", "crossentropy",
                "crossentropy_softmax", "adamw", "flash_attention", "classifier", "cached_attention",
            ])
    }

    @Test func argumentsAreWellFormed() {
        for kernel in KernelCatalog.standard.kernels { check(kernel) }
    }

    private func check<K: Kernel<Float>>(_ kernel: K.Type) {
        let call = K(sizes: K.sizes { max($0.least, 6) / $0.divisor * $0.divisor }) { _ in nil }
        let signature = call.signature
        #expect(Set(signature.arguments.map(\.name)).count == signature.arguments.count, "\(K.name)")
        #expect(!signature.sizes.isEmpty)
        for argument in signature.arguments {
            // A bound is 0 for an error of 0 alone, and grows with the error.
            #expect(argument.count > 0)
            guard argument.isResult else { continue }
            #expect(argument.bound(error: 0) == 0)
            #expect(argument.bound(error: 1e-60) > 0 || argument.roundings == 0)
            #expect(argument.bound(error: 2) == 2 * argument.bound(error: 1))
            #expect(argument.bound(error: 1) >= Float.unitRoundoff)
        }
        #expect(!signature.results.isEmpty)
        #expect(call.cost.operations > 0 && call.cost.bytes > 0)
    }

    @Test func sizesThatBreakARuleAreNamed() {
        func problem<K: Kernel<Float>>(_ kernel: K.Type, _ sizes: [String: Int]) -> String? {
            #expect(throws: SignatureError.self) { try K.signature(sizes: sizes) }?.description
        }
        #expect(
            problem(Attention.Forward<Float>.self, ["B": 1, "T": 2, "C": 7, "NH": 2])
                == "attention forward: C is 7, and must be a multiple of 2, which is NH")
        #expect(
            problem(Softmax.Forward<Float>.self, ["B": 1, "T": 2, "V": 7, "Vp": 6])
                == "softmax forward: Vp is 6, and must be at least 7, which is V")
        #expect(problem(GELU.Forward<Float>.self, ["N": 0]) == "gelu forward: N is 0, and must be at least 1")
        #expect(problem(GELU.Forward<Float>.self, [:]) == "gelu forward: the size N is not given")
        #expect(
            problem(Residual.Forward<Float>.self, ["N": 1 << 40])?.hasSuffix("of shape [1099511627776] is too large")
                == true)
    }

    @Test(arguments: [
        ("fast", "matmul forward", "fast"), ("fast,matmul=reference", "matmul forward", "reference"),
        ("reference", "gelu backward", "reference"), ("matmul=fast", "matmul backward", "fast"),
    ])
    func selection(_ text: String, kernel: String, implementation: String) throws {
        let set = try KernelCatalog.standard.set(named: text)
        let found = try #require(set.kernels.first { $0.name.description == kernel })
        #expect(set.implementation(of: found) == implementation)
    }

    @Test(arguments: [
        ("slow", "'slow'"), ("matmul=slow", "'slow'"), ("conv=fast", "'conv'"), ("", "''"), ("gelu=mine", "reference"),
    ])
    func unknownSelection(_ text: String, named: String) {
        let error = #expect(throws: KernelSelectionError.self) { _ = try KernelCatalog.standard.set(named: text) }
        #expect(error?.description.contains(named) == true)
    }
}
