import KernelCatalog
import Kernels
import Reporting
import Verification

/// Tests the harness itself: plants every fault of the catalogue and expects it to be caught and rightly blamed, and tries
/// right kernels of many kinds and expects them to hold.
public struct SelfTest {
    /// Follows the work: what is under way, and the fraction done.
    public typealias Progress = (_ activity: String, _ fraction: Double) -> Void

    private let root: String
    private let variants: Int
    private let seed: UInt64
    private let progress: Progress

    /// A test by the fixtures of the repository at `root`, with that many right variants.
    public init(root: String, variants: Int = 1024, seed: UInt64 = 1, progress: @escaping Progress = { _, _ in }) {
        self.root = root
        self.variants = variants
        self.seed = seed
        self.progress = progress
    }

    /// Tries everything; the machine, the commit and the time are the caller's to add.
    ///
    /// - Throws: ``FixtureError`` when a fixture cannot be used.
    public func run() throws(FixtureError) -> (
        faults: [SelfTestReport.Fault], falseAlarms: [SelfTestReport.FalseAlarm], variants: Int, seed: UInt64
    ) {
        let kernelFaults = FaultCatalogue.kernelFaults
        let wiringFaults = WiringFault.all
        let total = Double(kernelFaults.count + 12 * wiringFaults.count + variants)
        var done = 0.0
        func follow(_ activity: String, weight: Double = 1) {
            progress(activity, done / total)
            done += weight
        }

        var faults: [SelfTestReport.Fault] = []
        for fault in kernelFaults {
            follow("\(fault.kernel): \(fault.name)")
            faults.append(try tried(fault))
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
            let outcome = try verify(implementation, threads: threads)
            guard let blamed = outcome.blamed else { continue }
            falseAlarms.append(
                SelfTestReport.FalseAlarm(
                    kernel: implementation.kernelName.description, choices: "\(choices), \(threads) threads",
                    finding: blamed.explanation))
        }
        return (faults, falseAlarms, variants, seed)
    }

    /// Tries a kernel's fault by the fixture of its operation.
    public func tried(_ fault: Fault) throws(FixtureError) -> SelfTestReport.Fault {
        result(fault.name, origin: fault.kernel.description, try verify(fault.implementation, threads: 2))
    }

    /// Tries a fault of the wiring by the debug state: the reference kernels hold by all kernel fixtures.
    public func tried(_ fault: WiringFault) throws(FixtureError) -> SelfTestReport.Fault {
        let request = VerificationRequest(
            kernels: KernelSet(KernelCatalog.reference()), fixtures: ["\(root)/fixtures/tiny.h5"],
            rewiring: fault.makeInterceptor())
        return result(fault.name, origin: Self.wiring, try Verifier(request).run())
    }

    private static let wiring = "wiring"

    /// Judges `implementation` among reference kernels, by the fixture of its operation.
    private func verify(
        _ implementation: Implementation<Float>, threads: Int
    ) throws(FixtureError) -> VerificationOutcome {
        var kernels = KernelSet<Float>(KernelCatalog.reference(), workers: Workers(count: threads))
        kernels.use(implementation)
        let fixture = "\(root)/fixtures/kernels/\(implementation.kernelName.operation).h5"
        return try Verifier(VerificationRequest(kernels: kernels, fixtures: [fixture])).run()
    }

    private func result(_ name: String, origin: String, _ outcome: VerificationOutcome) -> SelfTestReport.Fault {
        let blamed = outcome.blamed.map { blame in
            if let operation = blame.operation, let pass = blame.pass { "\(operation) \(pass)" } else { Self.wiring }
        }
        let row = outcome.rows.first { $0.verdict == .fail }
        return SelfTestReport.Fault(
            name: name, origin: origin, blamed: blamed,
            finding: row.map { "`\($0.tensor)` of \($0.case): \($0.note ?? $0.pattern ?? "out of its band")" })
    }
}
