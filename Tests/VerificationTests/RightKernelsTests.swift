import KernelCatalog
import Kernels
import Reporting
import Testing
import Verification

/// Right kernels hold, by every fixture, on any number of threads.
struct RightKernelsTests {
    /// The fast kernels' outcome on three threads.
    private static let fast = Result { try verify("fast", threads: 3) }

    @Test(arguments: zip(KernelCatalog.standard.names, [3, 1]))
    func hold(_ name: String, threads: Int) throws {
        let outcome = try verify(name, threads: threads)
        #expect(outcome.verdict == .pass, "\(outcome.blamed?.explanation ?? "")")
        #expect(outcome.blamed == nil)
    }

    @Test func everyTensorIsCompared() throws {
        let outcome = try Self.fast.get()
        #expect(outcome.verdict == .pass, "\(outcome.blamed?.explanation ?? "")")
        for fixture in outcome.fixtures {
            #expect(fixture.compared == fixture.listed)
            #expect(fixture.leftOut == 0)
            #expect(fixture.sha256.count == 64)
        }
        #expect(outcome.rows.count == outcome.fixtures.map(\.compared).reduce(0, +))
        #expect(outcome.rows.allSatisfy { ($0.measure?.count ?? 0) > 0 })
        // Each kernel, in each of the ways in which it is judged.
        for kernel in KernelCatalog.standard.kernels {
            let rows = outcome.rows.filter {
                $0.operation == kernel.name.operation && $0.pass == kernel.name.pass.rawValue
            }
            #expect(rows.contains { $0.mode == .isolated }, "\(kernel.name)")
            // A fused kernel's results are not in a debug state, but for what comes of them.
            // Generation is no part of one.
            guard !(kernel is any FusedKernel.Type), kernel.name.operation != "cached_attention" else { continue }
            #expect(rows.contains { $0.mode != .isolated }, "\(kernel.name)")
        }
    }

    /// One of a model's passes, one of its training alone, and one of none.
    @Test(arguments: ["layernorm", "adamw", "cached_attention"])
    func onlyTheOperationAskedFor(_ operation: String) throws {
        let outcome = try verify(only: [operation])
        #expect(!outcome.rows.isEmpty)
        #expect(outcome.rows.allSatisfy { $0.operation == operation })
    }

    @Test(arguments: ComparisonRow.Mode.allCases)
    func onlyTheModeAskedFor(_ mode: ComparisonRow.Mode) throws {
        let outcome = try verify(only: mode == .drawn ? ["gelu", "residual"] : [], modes: [mode])
        #expect(!outcome.rows.isEmpty)
        #expect(outcome.rows.allSatisfy { $0.mode == mode })
    }
}
