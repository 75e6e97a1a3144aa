import Kernels
import Reporting
import Sentinel
import Verification

extension SelfTest {
    /// The most operations or elements of a call that variants make, whose code is plain.
    private static let mostWork = 1 << 23

    /// Tries faults of one kernel by its drawn cases, each until one finds it, and by its properties where none does; and
    /// right variants, each by a case that is quick enough.
    ///
    /// - Throws: ``HarnessError`` where the machine has no room for a trial.
    func tried(
        _ faults: [Fault], _ variants: [(description: String, implementation: Implementation<Float>)],
        on drawn: DrawnCases
    ) throws(HarnessError) -> (faults: [SelfTestReport.PlantedFault], alarms: [SelfTestReport.FalseAlarm]) {
        var found: [Int: SelfTestReport.PlantedFault] = [:]
        var alarms: [SelfTestReport.FalseAlarm] = []
        let quick = max(drawn.cases.count { $0.work <= Self.mostWork }, 1)
        // Spread over the cases: of few variants, the first and others at equal distances.
        let chosen = Dictionary(grouping: variants.indices) { number in
            variants.count < quick ? number * quick / variants.count : number % quick
        }
        func isWanted(_ number: Int) -> Bool {
            chosen[number] != nil
                || faults.indices.contains { found[$0] == nil && faults[$0].isActive(drawn.cases[number].sizes) }
        }
        for start in stride(from: 0, to: drawn.cases.count, by: DrawnCases.ahead) {
            let numbers = (start..<min(start + DrawnCases.ahead, drawn.cases.count)).filter(isWanted)
            for (number, trial) in zip(numbers, DrawnCases.prepared(numbers.map { drawn.cases[$0] })) {
                for number in chosen[number] ?? [] {
                    let (choices, implementation) = variants[number]
                    let threads = 1 + number % 7
                    guard let blamed = try trial.verdict(on: implementation, threads: threads).blamed else { continue }
                    alarms.append(
                        SelfTestReport.FalseAlarm(
                            kernel: implementation.kernelName.description, choices: "\(choices), \(threads) threads",
                            finding: blamed.explanation))
                }
                for (place, fault) in faults.enumerated()
                where found[place] == nil && fault.isActive(drawn.cases[number].sizes) {
                    let (blamed, rows) = try trial.verdict(on: fault.implementation, threads: 2)
                    guard let blamed else { continue }
                    found[place] = result(fault.name, origin: fault.kernel.description, blamed, rows)
                }
            }
        }
        for (place, fault) in faults.enumerated() where found[place] == nil {
            let (blamed, rows) = try drawn.verdictOnProperties(of: fault.implementation, threads: 2)
            guard let blamed else { continue }
            found[place] = result(fault.name, origin: fault.kernel.description, blamed, rows)
        }
        let all = faults.enumerated().map { place, fault in
            found[place] ?? result(fault.name, origin: fault.kernel.description, nil, [])
        }
        return (all, alarms)
    }
}
