import Foundation
import Kernels
import SelfTest
import TestSupport
import Testing
import Verification

/// Wrong kernels are caught, blamed for it, and described. The whole catalogue is tried by `verify selftest`.
struct PlantedFaultsTests {
    /// A fault of the catalogue, and what the report must say of it.
    struct Planted: CustomTestStringConvertible, Sendable {
        let kernel: KernelName
        let name: String
        let says: String

        init(_ operation: String, _ pass: Pass, _ name: String, says: String) {
            kernel = KernelName(operation, pass)
            self.name = name
            self.says = says
        }

        var testDescription: String { "\(kernel): \(name)" }

        func fault() throws -> Fault {
            try #require(FaultCatalogue.kernelFaults.first { $0.kernel == kernel && $0.name == name })
        }
    }

    static let first: [Planted] = [
        Planted("gelu", .forward, "0.044715 made 0.0447", says: "error"),
        Planted("layernorm", .backward, "= for +=", says: "overwritten, and not added to"),
        Planted("attention", .forward, "the causal mask off by one", says: "element"),
        Planted("attention", .forward, "a missing 1/√hs", says: "off by a constant factor √hs"),
    ]

    /// By all fixtures, as a person runs `verify`.
    @Test(arguments: first)
    func isCaughtAndBlamed(_ planted: Planted) throws {
        let outcome = try verify("reference", replacing: [try planted.fault().implementation])
        #expect(outcome.verdict == .fail)
        #expect(outcome.blamed?.operation == planted.kernel.operation)
        #expect(outcome.blamed?.pass == planted.kernel.pass.rawValue)
    }

    /// By a debug state alone: the kernel gets the reference's inputs, and only its own results fail.
    @Test(arguments: first)
    func isBlamedByTheDebugStateAlone(_ planted: Planted) throws {
        let outcome = try verify(
            "reference", replacing: [try planted.fault().implementation], fixtures: ["\(packageRoot)/fixtures/tiny.h5"],
            modes: [.isolated])
        #expect(outcome.blamed?.operation == planted.kernel.operation)
        #expect(outcome.blamed?.pass == planted.kernel.pass.rawValue)
        let failed = Set(outcome.rows.filter { $0.verdict == .fail }.map(\.operation))
        #expect(failed == [planted.kernel.operation])
    }

    static let described: [Planted] =
        first + [
            Planted("matmul", .forward, "scaled by 1.07", says: "off by a constant factor 1.07"),
            Planted("residual", .backward, "does nothing", says: "nothing was added"),
            Planted("gelu", .backward, "added twice", says: "added twice"),
            Planted("softmax", .forward, "the padding counted in", says: "element"),
            Planted("gelu", .forward, "NaN in the last element", says: "element"),
            Planted("residual", .forward, "a write past the end", says: "wrote past the argument's end"),
            Planted("encoder", .forward, "a read before the start", says: "read before the argument's start"),
            Planted("adamw", .update, "an input changed", says: "changed its input"),
            Planted("crossentropy", .forward, "other bits on three threads", says: "3 threads gave other bits"),
        ]

    @Test(arguments: described)
    func isDescribed(_ planted: Planted) throws {
        let fault = try planted.fault()
        let outcome = try verify(
            "reference", replacing: [fault.implementation],
            fixtures: ["\(packageRoot)/fixtures/kernels/\(planted.kernel.operation).h5"])
        let failures = outcome.rows.filter { $0.verdict == .fail }
        #expect(!failures.isEmpty)
        #expect(failures.contains { $0.finding.contains(planted.says) }, "\(failures.first?.finding ?? "")")
        let wrong = failures.filter { $0.worst > 1 }
        #expect(wrong.allSatisfy { $0.explanation?.heat != nil && $0.explanation?.pattern != nil })
        #expect(outcome.rows.allSatisfy { $0.verdict == .fail || $0.explanation == nil })
    }
}
