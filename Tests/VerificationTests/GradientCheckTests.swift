import GradientCheck
import KernelCatalog
import Kernels
import SelfTest
import Testing

/// Right backward kernels agree with differences of their forwards; wrong ones do not.
struct GradientCheckTests {
    private static let check = GradientCheck(seed: 1)

    @Test func everyBackwardKernelIsChecked() {
        let backward = KernelCatalog.standard.kernels.filter { $0.name.pass == .backward }.map { $0.name }
        #expect(GradientCheck.kernels().map { $0.name } == backward)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func rightKernelsHold(seed: UInt64) throws {
        let check = GradientCheck(seed: seed)
        for row in check.reference() { #expect(row.holds, "\(row)") }
        for name in KernelCatalog.standard.names {
            for row in check.verdict(on: try KernelCatalog.standard.set(named: name)) { #expect(row.holds, "\(row)") }
        }
    }

    /// Faults that change no gradient on one thread at these shapes: `verify` finds them by how a kernel conducts itself.
    private static let unseen: Set<String> = [
        "a write past the end", "a write before the start", "a read past the end", "a read before the start",
        "other bits on three threads", "two threads, one accumulator", "other bits on every run", "an input changed",
        "subnormals flushed from then on", "rounding toward zero from then on",
        "the environment changed on another thread",
    ]

    /// Every fault of the catalogue in a backward kernel, each in the place of the reference's.
    @Test func plantedFaultsAreCaught() {
        let faults = FaultCatalogue.kernelFaults.filter { $0.kernel.pass == .backward }
        #expect(faults.count > 250)
        var missed: [String] = []
        for fault in faults {
            var kernels = KernelSet<Float>(KernelCatalog.standard.reference)
            kernels.use(fault.implementation)
            let rows = Self.check.verdict(on: kernels, kernel: fault.kernel)
            #expect(!rows.isEmpty)
            if rows.allSatisfy(\.holds) { missed.append("\(fault.kernel): \(fault.name)") }
        }
        print("gradcheck catches \(faults.count - missed.count) of \(faults.count) planted faults of backward kernels")
        let surprising = missed.filter { name in !Self.unseen.contains { name.hasSuffix(": \($0)") } }
        #expect(surprising == [], "\(surprising)")
    }

    /// Each kernel's own forward has to be the one that its backward belongs to.
    @Test func aForwardThatBackwardDoesNotBelongTo() throws {
        let fault = try #require(
            FaultCatalogue.kernelFaults.first {
                $0.kernel == KernelName("gelu", .forward) && $0.name == "x · sigmoid(1.702 x)"
            })
        var kernels = KernelSet<Float>(KernelCatalog.standard.reference)
        kernels.use(fault.implementation)
        let rows = Self.check.verdict(on: kernels, kernel: KernelName("gelu", .backward))
        #expect(rows.filter { !$0.holds }.map(\.method) == [.ownForward])
    }
}
