import KernelCatalog
import Kernels
import ReferenceKernels
import Reporting
import Testing
import Verification

/// Kernels that are right on every finite number that they are given, and wrong in what becomes of others, or in what they
/// depend on.
struct PropertiesTests {
    struct Fault: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let property: String
        let finding: String
        let implementation: Implementation<Float>

        /// The reference kernel, whose results `spoil` changes.
        init<K: Kernel<Float>>(
            _ description: String, _ property: String, finding: String, _ kernel: K.Type,
            _ reference: @escaping @Sendable (K) -> Void, _ spoil: @escaping @Sendable (K) -> Void
        ) {
            (testDescription, self.property, self.finding) = (description, property, finding)
            implementation = Implementation("spoilt") { (call: K, _: Workers) in
                reference(call)
                spoil(call)
            }
        }
    }

    static let faults = [
        Fault(
            "NaN becomes 0", "nonfinite", finding: "should be nan", GELU.Forward<Float>.self,
            ReferenceKernels.geluForward
        ) { call in for i in 0..<call.N where call.out[i].isNaN { call.out[i] = 0 } },
        Fault(
            "infinity becomes NaN", "nonfinite", finding: "should be inf", GELU.Forward<Float>.self,
            ReferenceKernels.geluForward
        ) { call in for i in 0..<call.N { call.out[i] += call.inp[i] - call.inp[i] } },
        Fault(
            "0 times infinity is left out", "nonfinite", finding: "should be", Matmul.Forward<Float>.self,
            ReferenceKernels.matmulForward
        ) { call in
            for row in 0..<call.B * call.T {
                for o in 0..<call.OC {
                    var sum = Double(call.bias?[o] ?? 0)
                    for c in 0..<call.C where call.inp[row * call.C + c] != 0 && call.weight[o * call.C + c] != 0 {
                        sum += Double(call.inp[row * call.C + c]) * Double(call.weight[o * call.C + c])
                    }
                    call.out[row * call.OC + o] = Float(sum)
                }
            }
        },
        Fault(
            "a row takes a little of the next", "independence", finding: "depends on other positions along",
            LayerNorm.Forward<Float>.self, ReferenceKernels.layernormForward
        ) { call in
            // A unit in the last place, within every bound.
            let rows = call.B * call.T
            for row in 0..<rows where rows > 1 && call.inp[(row + 1) % rows * call.C] > 0 {
                call.out[row * call.C] = call.out[row * call.C].nextUp
            }
        },
        Fault(
            "a token takes a little of the last", "independence", finding: "depends on later positions along T",
            Attention.Forward<Float>.self, ReferenceKernels.attentionForward
        ) { call in
            for b in 0..<call.B where call.inp[((b + 1) * call.T - 1) * 3 * call.C] > 0 {
                for i in 0..<call.C {
                    call.out[b * call.T * call.C + i] = call.out[b * call.T * call.C + i].nextUp
                }
            }
        },
    ]

    private func verdict(_ fault: Fault, seed: UInt64 = 1, allowing: Bool = false) throws -> VerificationOutcome {
        let name = fault.implementation.kernelName
        var kernels = KernelSet(KernelCatalog.standard.reference)
        kernels.use(fault.implementation)
        var request = VerificationRequest(
            try CaseName("\(name.operation)/\(name.pass.rawValue)/\(fault.property)"), kernels: kernels, fixtures: nil,
            root: ".")
        request.seed = seed
        request.allowsNonFinite = allowing
        return try Verifier(request).run()
    }

    @Test(arguments: faults)
    func faultsAreFound(_ fault: Fault) throws {
        let outcomes = try (1...3 as ClosedRange<UInt64>).map { try verdict(fault, seed: $0) }
        let failed = try #require(outcomes.first { $0.verdict == .fail })
        let name = fault.implementation.kernelName
        #expect(failed.blamed?.operation == name.operation && failed.blamed?.pass == name.pass.rawValue)
        #expect(failed.rows.contains { $0.note?.contains(fault.finding) == true }, "\(failed.rows.map(\.note))")
    }

    /// What --allow lets pass is still said.
    @Test func allowedFindingsAreSaid() throws {
        let outcome = try verdict(Self.faults[0], allowing: true)
        #expect(outcome.verdict == .pass)
        #expect(outcome.rows.contains { $0.note == nil && $0.allowed?.contains("should be nan") == true })
    }

    /// A right kernel may sum in another order where there is one row; who asks is told.
    @Test func batchVarianceIsSaid() throws {
        let fault = Fault(
            "one row in another order", "independence", finding: "", Matmul.Forward<Float>.self,
            ReferenceKernels.matmulForward
        ) { call in
            for o in 0..<call.OC where call.B * call.T == 1 {
                var sum: Float = 0
                for c in 0..<call.C { sum += call.inp[c] * call.weight[o * call.C + c] }
                call.out[o] = sum + (call.bias?[o] ?? 0)
            }
        }
        let outcomes = try (1...3 as ClosedRange<UInt64>).map { try verdict(fault, seed: $0) }
        #expect(outcomes.allSatisfy { $0.verdict == .pass })
        #expect(outcomes.flatMap(\.rows).contains { $0.remark?.contains("one position along") == true })
    }

    /// Both sets, with every seed.
    @Test(arguments: ["fast", "reference"], ["nonfinite", "independence"])
    func rightKernelsHold(_ set: String, _ property: String) throws {
        let kernels = try KernelCatalog.standard.selection(named: set, workers: Workers(count: 2)).kernels
        for seed in 1...5 as ClosedRange<UInt64> {
            for operation in KernelCatalog.standard.operations {
                var request = VerificationRequest(
                    try CaseName("\(operation)/\(property)"), kernels: kernels, fixtures: nil, root: ".")
                request.seed = seed
                let outcome = try Verifier(request).run()
                #expect(outcome.blamed == nil, "\(outcome.blamed?.explanation ?? "")")
            }
        }
    }
}
