import KernelCatalog
import Kernels
import Tensors
import Testing

/// The contracts of all kernels agree with one another and with the catalog.
struct ContractTests {
    @Test func everyKernelHasAReference() {
        let kernels = KernelCatalog.standard.kernels.map { $0.name }
        #expect(Set(kernels).count == kernels.count)
        for implementation in KernelCatalog.standard.implementations { #expect(kernels.contains(implementation.kernelName)) }
        #expect(
            KernelCatalog.standard.operations == [
                "encoder", "layernorm", "matmul", "attention", "gelu", "residual", "softmax", "crossentropy",
                "crossentropy_softmax", "adamw", "flash_attention", "classifier",
            ])
    }

    @Test func argumentsAreWellFormed() {
        for kernel in KernelCatalog.standard.kernels { check(kernel) }
    }

    private func check<K: Kernel<Float>>(_ kernel: K.Type) {
        var call = K()
        var lister = Lister()
        call.visit(&lister)
        #expect(Set(lister.arguments.map(\.name)).count == lister.arguments.count, "\(K.name)")
        #expect(!lister.sizes.isEmpty)
        for argument in lister.arguments {
            // Results have a bound, and inputs none; a bound grows with the roundings.
            #expect((argument.role == .input) == (argument.roundings == 0), "\(K.name) \(argument.name)")
            #expect(argument.count > 0)
            if argument.role != .input {
                #expect(argument.c >= Double(argument.roundings))
                #expect(argument.bound(gauge: 2) == 2 * argument.bound(gauge: 1))
            }
        }
        #expect(lister.arguments.contains { $0.role != .input })
        #expect(call.cost.operations > 0 && call.cost.bytes > 0)
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

/// Gives every size the value 6 and lists the arguments.
private struct Lister: ArgumentVisitor {
    var sizes: [String] = []
    var arguments: [Argument] = []

    mutating func size(_ name: String, _ value: inout Int) {
        sizes.append(name)
        value = 6
    }
    func require(_ holds: Bool, _ rule: String) { #expect(holds, "\(rule)") }
    func hyperparameter(_ name: String, _ value: inout Float) {}
    mutating func input(_ argument: Argument, _ view: inout View<Float>) { arguments.append(argument) }
    mutating func tokens(_ argument: Argument, below bound: Int, _ view: inout View<Int32>) {
        arguments.append(argument)
    }
    mutating func result(_ argument: Argument, _ view: inout MutableView<Float>) { arguments.append(argument) }
}
