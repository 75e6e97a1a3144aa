import Foundation
import KernelCatalog
import SelfTest
import Testing
import Verification

/// The catalogue of planted faults. All of them are planted by `verify selftest`, which CommandTests run.
struct CatalogueTests {
    @Test func everyKernelHasFaults() {
        let faults = FaultCatalogue.kernelFaults
        #expect(faults.count + WiringFault.all.count >= 120)
        for kernel in KernelCatalog.standard.kernels {
            #expect(faults.count { $0.kernel == kernel.name } >= 12, "\(kernel.name)")
        }
    }

    @Test func faultsAreToldApartByName() {
        let names = FaultCatalogue.kernelFaults.map { "\($0.kernel): \($0.name)" }
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
