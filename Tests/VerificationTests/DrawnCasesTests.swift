import KernelCatalog
import Kernels
import Reporting
import Testing
import Verification

@testable import SelfTest

/// Kernels that are right at every size that a fixture has, and not at those that models have.
struct DrawnCasesTests {
    private func fault(_ operation: String, _ pass: Pass, _ name: String) throws -> Fault {
        try #require(
            FaultCatalogue.drawnFaults.first { $0.kernel == KernelName(operation, pass) && $0.name == name })
    }

    private func cases(of kernel: KernelName) throws -> DrawnCases {
        try #require(DrawnCases.all().first { $0.kernel == kernel })
    }

    /// By a whole run, as a person starts it; the fixtures are too small.
    @Test(arguments: [
        ("gelu", Pass.forward, "an index of 16 bits"), ("encoder", .forward, "a token in 15 bits"),
        ("residual", .backward, "elements after 100000 not computed"),
    ])
    func faultsOfRealSizes(_ operation: String, _ pass: Pass, _ name: String) throws {
        let implementation = try fault(operation, pass, name).implementation
        let drawn = try verify("fast", replacing: [implementation], only: [operation], modes: [.drawn])
        #expect(drawn.verdict == .fail)
        #expect(drawn.blamed?.operation == operation && drawn.blamed?.pass == pass.rawValue)
        #expect(drawn.drawn.map { $0.calls > 30 } == true)
        let fixture = try verify("fast", replacing: [implementation], only: [operation], modes: [.isolated])
        #expect(fixture.verdict == .pass)
    }

    private let test = SelfTest(root: ".")

    /// A fault is found by the first case that shows it; one that no case shows is not, and a right kernel alarms nobody.
    @Test func faultsAreTriedUntilTheyAreFound() throws {
        let kernel = KernelName("gelu", .forward)
        let right = try #require(KernelCatalog.standard.reference.first { $0.kernelName == kernel })
        let faults = [
            try fault("gelu", .forward, "an index of 16 bits"), Fault("none", in: right),
            Fault("never there", in: right, at: { _ in false }),
        ]
        let drawn = try cases(of: kernel)
        let (found, alarms) = try test.tried(faults, [("right", right)], on: drawn)
        #expect(found.map(\.isCaught) == [true, false, false] && found[0].isBlamed)
        #expect(found[0].finding?.contains("N=") == true, "\(found[0].finding ?? "")")
        #expect(alarms.isEmpty)
    }

    /// A variant that is wrong is an alarm, each by a case of its own.
    @Test func wrongVariantsAlarm() throws {
        let drawn = try cases(of: KernelName("gelu", .backward))
        let wrong = try #require(GELUBackwardRecipe.planted.first { $0.name == "dout left out" }).implementation
        let variants = [(String, Implementation<Float>)](repeating: ("wrong", wrong), count: 4)
        let alarms = try test.tried([], variants, on: drawn).alarms
        // The first case may be one of no elements.
        #expect(alarms.count >= 3 && alarms.allSatisfy { $0.kernel == "gelu backward" })
        #expect(Set(alarms.map(\.finding)).count == alarms.count)
    }

    /// Variants are spread over the cases, and tried at some of models' sizes.
    @Test func everyKernelHasCases() {
        let all = DrawnCases.all()
        #expect(Set(all.map(\.kernel)) == Set(KernelCatalog.standard.kernels.map { $0.name }))
        for drawn in all {
            #expect(drawn.cases.count > 30, "\(drawn.kernel)")
            #expect(zip(drawn.cases, drawn.cases.dropFirst()).allSatisfy { $0.work <= $1.work })
        }
    }

    // MARK: - Small errors

    /// A right answer is not found to be wrong, and larger errors are found more surely.
    @Test func smallErrorsAreFound() {
        let found = DetectionTrial(seed: 3, calls: 1, places: 8, errors: [(0, 0.5), (1e-7, nil), (1e-2, 0.5)]).run()
        #expect(found.map(\.tried) == [8, 8, 8] && found.map(\.caught) == [0, 0, 8])
        #expect(found.map(\.isSure) == [false, true, true])
    }
}
