import GPT2
import KernelCatalog
import Kernels
import Testing
@testable import Verification

/// Names of cases, and the cases that they name.
struct CaseNameTests {
    private static let catalog = KernelCatalog.standard

    private static func named<K: Kernel<Float>>(
        _ kernel: K.Type, _ name: String, seed: UInt64
    ) throws(CaseNameError) -> DrawnCase { try DrawnCase(kernel, named: name, seed: seed) }

    /// Whatever is drawn can be drawn again, to the bit, from its name and the seed; and no shell changes the name.
    @Test(arguments: [1, 7] as [UInt64])
    func everyDrawnCaseHasAName(seed: UInt64) throws {
        var seen: Set<String> = []
        for drawn in DrawnCase.all(of: Self.catalog, seed: seed).flatMap(\.self) {
            let again = try Self.named(drawn.kernel, drawn.name, seed: seed)
            #expect(again.call == drawn.call && again.name == drawn.name)
            #expect(drawn.name.wholeMatch(of: /drawn:[A-Za-z0-9_=,+-]+/) != nil, "\(drawn.name)")
            #expect(seen.insert("\(drawn.kernel.name)/\(drawn.name)").inserted, "twice: \(drawn.name)")
            let other = try Self.named(drawn.kernel, drawn.name, seed: seed + 1)
            #expect(other.call.seed != drawn.call.seed && other.call.sizes == drawn.call.sizes)
        }
        #expect(seen.count > 2000)
        // Each of what a call can go without or overwrite occurs.
        for part in [",-bias", ",-dbias", ",overwrites=activations", ",overwrites=activations+parameters"] {
            #expect(seen.contains { $0.contains(part) }, "\(part)")
        }
    }

    @Test func anySizesCanBeNamed() throws {
        let drawn = try Self.named(
            Matmul.Backward<Float>.self, "drawn:OC=2,T=3,B=1,-dbias,C=65,overwrites=parameters", seed: 3)
        #expect(drawn.call.sizes == ["B": 1, "T": 3, "C": 65, "OC": 2])
        #expect(drawn.call.absent == ["dbias"] && drawn.call.overwrites == .parameters)
        #expect(drawn.name == "drawn:B=1,T=3,C=65,OC=2,-dbias,overwrites=parameters")
    }

    @Test func shapesAreThoseOfModels() throws {
        let shape = try ModelShape("124M:4x64")
        let cases = DrawnCase.all(of: Self.catalog, at: [shape], seed: 1).flatMap(\.self)
        let matmuls = cases.filter { $0.kernel.name == Matmul.Forward<Float>.name }.map(\.call.sizes)
        // Whole: as many rows and columns as the model has.
        #expect(matmuls.contains(["B": 4, "T": 64, "C": 768, "OC": 50304]), "\(matmuls)")
        #expect(matmuls.contains(["B": 4, "T": 64, "C": 768, "OC": 2304]))
        #expect(Set(cases.map { $0.kernel.name }).count == Self.catalog.kernels.count)
    }

    @Test(
        arguments: [
            ("matmul/primes", "matmul", nil, "primes"), ("matmul/backward/primes", "matmul", .backward, "primes"),
            ("adamw/update/one", "adamw", .update, "one"), ("gelu/drawn:N=3", "gelu", nil, "drawn:N=3"),
        ] as [(String, String, Pass?, String)])
    func names(_ text: String, _ operation: String, _ pass: Pass?, _ name: String) throws {
        let found = try CaseName(text)
        #expect(found.operation == operation && found.pass == pass && found.name == name)
        #expect(found.description == text && found.isDrawn == text.contains("drawn:"))
    }
}
