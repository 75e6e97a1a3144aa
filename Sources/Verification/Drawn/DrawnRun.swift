import Accuracy
import KernelCatalog
import Kernels
import Platform
import Reporting
import Sentinel

/// The verdict at sizes of the harness's own choosing.
struct DrawnRun {
    private let request: VerificationRequest
    private let catalog = KernelCatalog.standard
    private let cases: [[DrawnCase]]
    /// What was found in each case, where one alone is tried.
    private(set) var records: [CaseRecord] = []

    /// The trials that `request` asks for.
    ///
    /// - Throws: ``CaseNameError`` where there can be none of that name.
    init(_ request: VerificationRequest) throws(CaseNameError) {
        self.request = request
        cases = try request.drawnCases(of: catalog)
    }

    /// The number of threads besides the set's own on which a case's results must have the same bits: of its own, so that
    /// the case alone is tried as it is among others.
    static func threads(of drawn: DrawnCase) -> Int {
        // Many threads take long to come together.
        let numbers = [1, 2, 3, 1, 2, 4, 1, 2, 5, 1, 3, 8, 2, 4, 16]
        return numbers[Int(drawn.call.seed % UInt64(numbers.count))]
    }

    /// How many calls are computed at a time, on all processors, before they are tried; of sizes that may be large, one.
    static let ahead = 16

    /// Tries every kernel that is asked for: one row for each result of a kernel that holds at all sizes, and one for each
    /// size at which it does not. `progress` is told the fraction done.
    ///
    /// - Throws: `HarnessError` where the machine has no room for a call.
    mutating func run(_ progress: (String, Double) -> Void) throws(HarnessError) -> (calls: Int, rows: [ComparisonRow])
    {
        let all = cases.filter { cases in
            cases.first.map { request.judges($0.kernel.name, in: .drawn) } ?? false
        }
        var rows: [ComparisonRow] = []
        for (number, cases) in all.enumerated() {
            let kernel = cases[0].kernel
            progress("\(kernel.name) at drawn sizes", Double(number) / Double(all.count))
            rows += try self.rows(kernel, cases)
        }
        // After the others: what a kernel keeps of its first calls is no leak, and no call of it may follow where it is looked
        // for what it writes late.
        var properties = PropertyRun(request, by: KernelSet(catalog.exact))
        for kernel in catalog.kernels {
            for property in request.properties(of: kernel.name).reversed() {
                progress("\(kernel.name): \(property.rawValue)", 1)
                try properties.add(property, of: kernel)
            }
        }
        return (all.reduce(0) { $0 + $1.count }, rows + properties.rows())
    }

    private mutating func rows<K: Kernel<Float>>(
        _ kernel: K.Type, _ cases: [DrawnCase]
    ) throws(HarnessError) -> [ComparisonRow] {
        var held: [String: (count: Int, cases: Int, relative: RelativeErrors, worst: ComparisonRow.Measure)] = [:]
        var order: [String] = []
        var failures: [ComparisonRow] = []
        var ahead: [DrawnTrial.Prepared] = []
        let most = request.isOfUsualCases ? Self.ahead : 1
        for (number, drawn) in cases.enumerated() {
            if ahead.isEmpty {
                // The last first, for they are taken from the end; the largest are among them.
                ahead = cases[number...].prefix(most).reversed().concurrentMap { [catalog] in
                    DrawnTrial.Prepared(kernel, $0, by: KernelSet(catalog.exact))
                }
            }
            let trial = try DrawnTrial(
                kernel, ahead.removeLast(), request.kernels, threads: Self.threads(of: drawn))
            if request.isOfOneCase { records.append(CaseRecord(kernel, drawn, trial, request.kernels)) }
            for finding in trial.findings {
                let argument = finding.truth.argument
                let measure = ComparisonRow.Measure(finding.measure, shape: argument.shape)
                guard finding.holds else {
                    failures.append(
                        finding.row(
                            kernel, of: request.kernels, drawn.name, explanation: explanation(finding, drawn)))
                    continue
                }
                guard let earlier = held[argument.name] else {
                    order.append(argument.name)
                    held[argument.name] = (measure.count, 1, finding.measure.relative, measure)
                    continue
                }
                var relative = earlier.relative
                relative.add(finding.measure.relative)
                held[argument.name] = (
                    earlier.count + measure.count, earlier.cases + 1, relative,
                    measure.worst > earlier.worst.worst ? measure : earlier.worst
                )
            }
            // More of the same tells nothing new.
            if failures.count >= 4 { break }
        }
        return failures
            + order.compactMap { name in
                held[name].map {
                    ComparisonRow(
                        ComparisonRow.Subject(
                            kernel, of: request.kernels, .drawn,
                            $0.cases == 1 ? cases[0].name : "\($0.cases) drawn calls", name),
                        measure: $0.worst.standing(
                            for: $0.count, relative: ComparisonRow.RelativeErrors($0.relative)),
                        calls: $0.cases)
                }
            }
    }

    /// What the errors have in common, where the whole result was compared.
    private func explanation(_ finding: DrawnTrial.Finding, _ drawn: DrawnCase) -> ComparisonRow.Explanation? {
        let result = finding.truth
        guard finding.measure.worst > 1, result.argument.coverage == .all,
            result.indices.count == result.argument.count
        else { return nil }
        return ComparisonRow.Explanation(
            actual: finding.answer.map(Double.init), truth: result.values, bound: result.bounds, initial: nil,
            shape: result.argument.shape, coverage: .all, sizes: drawn.call.sizes)
    }
}
