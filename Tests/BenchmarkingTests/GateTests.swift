@testable import Benchmarking
import GPT2
import KernelCatalog
import Kernels
import ReferenceKernels
import Reporting
import Testing

struct GateTests {
    private func accuracy(_ typical: Double, _ worst: Double, of count: Int) -> BenchmarkReport.Accuracy {
        BenchmarkReport.Accuracy(
            worst: worst, typical: typical, rmse: typical, compared: count, of: count, finding: nil)
    }

    /// What two orders of summation make of the same errors is not a loss; what a shortcut makes of them is.
    @Test(arguments: [
        (0.010, 0.50, 1_000_000, false), (0.0105, 0.51, 1_000_000, false), (0.008, 0.30, 1_000_000, false),
        (0.012, 0.50, 1_000_000, true), (0.010, 0.90, 1_000_000, true), (0.012, 0.60, 100, false),
        (0.020, 0.60, 100, true), (.infinity, .infinity, 1_000_000, true),
    ])
    func losses(_ typical: Double, _ worst: Double, _ count: Int, _ isLoss: Bool) {
        let base = accuracy(0.010, 0.50, of: count)
        #expect((Gate.loss(accuracy(typical, worst, of: count), base) != nil) == isLoss)
    }

    @Test func newKernelsHaveNothingToLose() { #expect(Gate.loss(accuracy(0.5, 0.9, of: 10), nil) == nil) }

    /// The gate's findings on a head whose GELU is so, beside a base that is right.
    private func findings(
        _ body: @escaping @Sendable (GELU.Forward<Float>) -> Void, accepting: Set<String> = []
    ) throws -> (findings: [BenchmarkReport.GateOutcome.Finding], remarks: [String]) {
        func worker(_ name: String, _ implementation: Implementation<Float>?) -> WorkerCommand {
            .here(name) {
                var kernels = KernelSet(KernelCatalog.standard.reference)
                if let implementation { kernels.use(implementation) }
                return WorkerService(name: name, kernels: kernels)
            }
        }
        let request = GateRequest(
            head: worker("head", Implementation("other", body)), base: worker("base", nil),
            shapes: [try ModelShape("tiny:2x5")], threads: [1], operations: ["gelu"], accepted: accepting)
        let (_, findings, remarks) = try Gate(request).run()
        return (findings.filter { $0.kind != .slow && $0.kernel.hasPrefix("gelu forward") }, remarks)
    }

    private static let right = ReferenceKernels.geluForward as @Sendable (GELU.Forward<Float>) -> Void

    @Test func aRightHeadIsNotBlamed() throws { #expect(try findings(Self.right).findings.isEmpty) }

    @Test func aWrongHeadIsFound() throws {
        let found = try findings { call in
            Self.right(call)
            call.out[3] += 1e-3
        }.findings
        #expect(found.map(\.kind) == [.wrong] && found.first?.text.contains("out[3]") == true)
    }

    @Test func aLessAccurateHeadIsFoundUnlessAccepted() throws {
        // Off by as much as one rounding of the sum 1 + tanh would be, within the bound.
        let body: @Sendable (GELU.Forward<Float>) -> Void = { call in
            Self.right(call)
            for i in 0..<call.N where call.inp[i] < 0 { call.out[i] += call.inp[i] * 0x1p-24 }
        }
        #expect(try findings(body).findings.map(\.kind) == [.inaccurate])
        let accepted = try findings(body, accepting: ["gelu"])
        #expect(accepted.findings.isEmpty && accepted.remarks.contains { $0.contains("accepted") })
    }
}
