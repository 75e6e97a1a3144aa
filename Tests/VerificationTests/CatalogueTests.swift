import Foundation
import KernelCatalog
import SelfTest
import Testing
import Verification

/// The catalogue of planted faults. All of them are planted by `verify selftest`, which CommandTests run.
struct CatalogueTests {
    @Test func everyKernelHasFaults() {
        let (faults, drawn) = (FaultCatalogue.kernelFaults, FaultCatalogue.drawnFaults)
        #expect(faults.count + drawn.count + WiringFault.all.count >= 1_100)
        for kernel in KernelCatalog.standard.kernels {
            #expect(faults.count { $0.kernel == kernel.name } >= 12, "\(kernel.name)")
            #expect(drawn.count { $0.kernel == kernel.name } >= 10, "\(kernel.name)")
        }
    }

    @Test func faultsAreToldApartByName() {
        let names = (FaultCatalogue.kernelFaults + FaultCatalogue.drawnFaults).map { "\($0.kernel): \($0.name)" }
        #expect(Set(names).count == names.count)
    }

    @Test func variantsAreTheSameForTheSameSeed() {
        for number in 0..<16 {
            let first = FaultCatalogue.variant(number, seed: 7)
            let second = FaultCatalogue.variant(number, seed: 7)
            #expect(first.description == second.description)
        }
    }
}
