import Fixtures
import KernelCatalog
import Kernels
import Platform
import Reporting
import Verification

/// Tests the harness itself: plants every fault of the catalogue and expects it to be caught and rightly blamed, and tries
/// right kernels of many kinds and expects them to hold.
public struct SelfTest {
    private let root: String
    private let variants: Int
    private let seed: UInt64
    private let progress: ProgressHandler

    /// A test by the fixtures of the repository at `root`, with that many right variants.
    public init(root: String, variants: Int = 1024, seed: UInt64 = 1, progress: @escaping ProgressHandler = { _, _ in })
    {
        self.root = root
        self.variants = variants
        self.seed = seed
        self.progress = progress
    }

    /// Tries everything; the machine, the commit and the time are the caller's to add.
    ///
    /// - Throws: ``FixtureError`` when a fixture cannot be used.
    public func run() throws(FixtureError) -> (
        faults: [SelfTestReport.PlantedFault], falseAlarms: [SelfTestReport.FalseAlarm], variants: Int, seed: UInt64
    ) {
        var fixtures: [String: KernelFixture] = [:]
        for operation in KernelCatalog.standard.operations { fixtures[operation] = try fixture(of: operation) }
        func verdict(
            on implementation: Implementation<Float>, threads: Int
        ) -> (blamed: VerificationReport.Blame?, rows: [ComparisonRow]) {
            fixtures[implementation.kernelName.operation]?.trials.verdict(on: implementation, threads: threads) ?? (
                nil, []
            )
        }

        let kernelFaults = FaultCatalogue.kernelFaults
        let wiringFaults = WiringFault.all
        let total = Double(kernelFaults.count + 12 * wiringFaults.count + variants)
        var done = 0.0
        func follow(_ activity: String, weight: Double = 1) {
            progress(activity, done / total)
            done += weight
        }

        var faults: [SelfTestReport.PlantedFault] = []
        for fault in kernelFaults {
            follow("\(fault.kernel): \(fault.name)")
            let (blamed, rows) = verdict(on: fault.implementation, threads: 2)
            faults.append(result(fault.name, origin: fault.kernel.description, blamed, rows))
        }
        for fault in wiringFaults {
            follow("wiring: \(fault.name)", weight: 12)
            faults.append(try tried(fault))
        }
        var falseAlarms: [SelfTestReport.FalseAlarm] = []
        for number in 0..<variants {
            let (choices, implementation) = FaultCatalogue.variant(number, seed: seed)
            follow("right variant: \(implementation.kernelName)")
            let threads = 1 + number % 7
            guard let blamed = verdict(on: implementation, threads: threads).blamed else { continue }
            falseAlarms.append(
                SelfTestReport.FalseAlarm(
                    kernel: implementation.kernelName.description, choices: "\(choices), \(threads) threads",
                    finding: blamed.explanation))
        }
        return (faults, falseAlarms, variants, seed)
    }

    /// Tries a fault of the wiring by the debug state: the reference kernels hold by all kernel fixtures.
    func tried(_ fault: WiringFault) throws(FixtureError) -> SelfTestReport.PlantedFault {
        let request = VerificationRequest(
            kernels: KernelSet(KernelCatalog.standard.reference), fixtures: ["\(root)/fixtures/tiny.h5"],
            rewiring: fault.makeInterceptor())
        let outcome = try Verifier(request).run()
        return result(fault.name, origin: Self.wiring, outcome.blamed, outcome.rows)
    }

    private static let wiring = "wiring"

    private func fixture(of operation: String) throws(FixtureError) -> KernelFixture {
        try KernelFixture("\(root)/fixtures/kernels/\(operation).h5")
    }

    private func result(
        _ name: String, origin: String, _ blamed: VerificationReport.Blame?, _ rows: [ComparisonRow]
    ) -> SelfTestReport.PlantedFault {
        let blamed = blamed.map { blame in
            if let operation = blame.operation, let pass = blame.pass { "\(operation) \(pass)" } else { Self.wiring }
        }
        let row = rows.first { $0.verdict == .fail }
        return SelfTestReport.PlantedFault(
            name: name, origin: origin, blamed: blamed,
            finding: row.map { row in
                "`\(row.tensor)` of \(row.case): \(row.note ?? row.explanation?.pattern ?? "out of its band")"
            })
    }
}
