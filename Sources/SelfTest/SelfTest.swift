import Accuracy
import Fixtures
import KernelCatalog
import Kernels
import Platform
import Reporting
import Sentinel
import Tensors
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

    /// What was found.
    public struct Findings: Sendable {
        /// Each planted fault, and what became of it.
        public var faults: [SelfTestReport.PlantedFault] = []
        /// The right variants, and the models of such, that were called wrong.
        public var falseAlarms: [SelfTestReport.FalseAlarm] = []
        /// How close right variants came to each bound.
        public var tightness: [SelfTestReport.Tightness] = []
        /// How surely small errors in a large result are found.
        public var detection: [SelfTestReport.Detection] = []
        /// How many right variants were tried, by fixtures and by drawn cases, models of such, and variants of each kernel in
        /// search of large errors.
        public let variants: Int
        public var drawnVariants = 0
        public let models, searched: Int
        /// What they were chosen by.
        public let seed: UInt64
    }

    /// Tries everything; the machine, the commit and the time are the caller's to add.
    ///
    /// - Throws: ``FixtureError`` when a fixture cannot be used, ``HarnessError`` where the machine has no room.
    public func run() throws -> Findings {
        var found = Findings(variants: variants, models: min(max(variants / 256, 1), 4), searched: variants, seed: seed)
        var fixtures: [String: KernelFixture] = [:]
        for operation in KernelCatalog.standard.operations { fixtures[operation] = try fixture(of: operation) }
        func verdict(
            on implementation: Implementation<Float>, threads: Int
        ) throws -> (blamed: VerificationReport.Blame?, rows: [ComparisonRow]) {
            try fixtures[implementation.kernelName.operation]?.trials.verdict(on: implementation, threads: threads)
                ?? (nil, [])
        }

        let kernelFaults = FaultCatalogue.kernelFaults
        let wiringFaults = WiringFault.all
        let drawnFaults = FaultCatalogue.drawnFaults
        let recipes = FaultCatalogue.recipes
        let total = Double(
            kernelFaults.count + 3 * drawnFaults.count + 12 * wiringFaults.count + 2 * variants + 50 * found.models
                + recipes.count + 100)
        var done = 0.0
        func follow(_ activity: String, weight: Double = 1) {
            progress(activity, done / total)
            done += weight
        }

        for fault in kernelFaults {
            follow("\(fault.kernel): \(fault.name)")
            let (blamed, rows) = try verdict(on: fault.implementation, threads: 2)
            found.faults.append(result(fault.name, origin: fault.kernel.description, blamed, rows))
        }
        for (number, cases) in DrawnCases.all(seed: seed).enumerated() {
            let faults = drawnFaults.filter { $0.kernel == cases.kernel }
            follow("\(cases.kernel) at drawn sizes", weight: Double(3 * faults.count + variants / recipes.count))
            // At least one of each.
            let count = max(variants / recipes.count, 1)
            let chosen = (0..<count).map { FaultCatalogue.variant($0 * recipes.count + number, seed: ~seed) }
            let (caught, alarms) = try tried(faults, chosen, on: cases)
            found.faults += caught
            found.drawnVariants += chosen.count
            found.falseAlarms += alarms
        }
        for fault in wiringFaults {
            follow("wiring: \(fault.name)", weight: 12)
            found.faults.append(try tried(fault))
        }
        for number in 0..<variants {
            let (choices, implementation) = FaultCatalogue.variant(number, seed: seed)
            follow("right variant: \(implementation.kernelName)")
            let threads = 1 + number % 7
            guard let blamed = try verdict(on: implementation, threads: threads).blamed else { continue }
            found.falseAlarms.append(
                SelfTestReport.FalseAlarm(
                    kernel: implementation.kernelName.description, choices: "\(choices), \(threads) threads",
                    finding: blamed.explanation))
        }
        for number in 0..<found.models {
            follow("a model of right variants", weight: 50)
            if let alarm = try model(number) { found.falseAlarms.append(alarm) }
        }
        follow("small errors in a large product", weight: 100)
        found.detection = DetectionTrial(seed: seed).run()
        follow("bounds", weight: Double(recipes.count))
        found.tightness = tightness(
            by: fixtures.mapValues { $0.trials.map(\.kernelCase) }, variants: found.searched)
        return found
    }

    /// How close right variants of each kernel come to each bound, in cases of fixtures by operation and others.
    private func tightness(by cases: [String: [KernelCase]], variants: Int) -> [SelfTestReport.Tightness] {
        let search = BoundSearch(variants: variants, seed: seed)
        return FaultCatalogue.recipes.concurrentMap { recipe in
            let kernel = recipe.kernel
            return search.run(recipe, cases[kernel.operation]?.filter { $0.kernel == kernel } ?? [])
        }.flatMap(\.self)
    }

    /// Tries the debug state on right variants of all kernels, chosen at random.
    func model(_ number: Int) throws -> SelfTestReport.FalseAlarm? {
        var generator = SplitMix64(state: seed &+ UInt64(number) << 32)
        let chosen = FaultCatalogue.recipes.map { $0.variant(using: &generator) }
        let request = VerificationRequest(
            kernels: KernelSet(chosen.map(\.implementation), workers: Workers(count: 1 + number)),
            fixtures: ["\(root)/fixtures/tiny.h5"])
        guard let blamed = try Verifier(request).run().blamed else { return nil }
        // What is blamed says what it chose; where that is no kernel, the number chooses the same again.
        let choices = chosen.first {
            let name = $0.implementation.kernelName
            return name.operation == blamed.operation && name.pass.rawValue == blamed.pass
        }
        return SelfTestReport.FalseAlarm(
            kernel: "model \(number)", choices: choices?.description ?? "of seed \(seed)", finding: blamed.explanation)
    }

    /// Tries a fault of the wiring by the debug state: the reference kernels hold by all kernel fixtures. Training takes
    /// longest, and is tried where one pass of the model shows nothing.
    func tried(_ fault: WiringFault) throws -> SelfTestReport.PlantedFault {
        var rows: [ComparisonRow] = []
        for modes: Set<ComparisonRow.Mode> in [[.isolated, .chained], [.training]] {
            let request = VerificationRequest(
                kernels: KernelSet(KernelCatalog.standard.reference), fixtures: ["\(root)/fixtures/tiny.h5"],
                modes: modes, rewiring: fault.makeInterceptor())
            let outcome = try Verifier(request).run()
            rows += outcome.rows
            if outcome.blamed != nil { return result(fault.name, origin: Self.wiring, outcome.blamed, rows) }
        }
        return result(fault.name, origin: Self.wiring, nil, rows)
    }

    private static let wiring = "wiring"

    private func fixture(of operation: String) throws(FixtureError) -> KernelFixture {
        try KernelFixture("\(root)/fixtures/kernels/\(operation).h5")
    }

    func result(
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
