import Accuracy
import KernelCatalog
import Kernels
import Platform
import Reporting
import Sentinel

/// The drawn cases of one kernel, for trials of many implementations of it: what a case takes and should leave is computed
/// once.
public struct DrawnCases: Sendable {
    /// A case.
    public struct Case: Sendable {
        /// The sizes, by name.
        public let sizes: [String: Int]
        /// The operations of a call, or the elements of its arguments, whichever are more.
        public let work: Int
        fileprivate let drawn: DrawnCase

        fileprivate init(_ drawn: DrawnCase) {
            (sizes, work) = (drawn.call.sizes, drawn.kernel.work(at: drawn.call.sizes))
            self.drawn = drawn
        }

        /// A case of `kernel` at those sizes.
        ///
        /// - Precondition: the contract accepts the sizes.
        public init<K: Kernel<Float>>(_ kernel: K.Type, sizes: [String: Int], seed: UInt64) {
            self.init(DrawnCase(kernel, sizes: sizes, values: .usual, seed: seed))
        }

        /// Computes what it takes and should leave.
        public func prepared(by catalog: KernelCatalog = .standard) -> Trial {
            func prepared<K: Kernel<Float>>(_ kernel: K.Type) -> Trial {
                Trial(drawn: drawn, prepared: .init(kernel, drawn, by: KernelSet(catalog.exact)))
            }
            return prepared(drawn.kernel)
        }
    }

    /// A case with what it takes and should leave.
    public struct Trial: Sendable {
        private let drawn: DrawnCase
        private let prepared: DrawnTrial.Prepared

        fileprivate init(drawn: DrawnCase, prepared: DrawnTrial.Prepared) {
            (self.drawn, self.prepared) = (drawn, prepared)
        }

        /// What is to blame in `implementation`, and the rows of results that do not hold.
        ///
        /// - Throws: ``HarnessError`` where the machine has no room for the trial.
        public func verdict(
            on implementation: Implementation<Float>, among catalog: KernelCatalog = .standard, threads: Int
        ) throws(HarnessError) -> (blamed: VerificationReport.Blame?, rows: [ComparisonRow]) {
            var kernels = KernelSet<Float>(catalog.reference, workers: Workers(count: threads))
            kernels.use(implementation)
            let rows = try rows(drawn.kernel, kernels)
            return (Blame.of(rows), rows)
        }

        /// What the results of the kernel that `kernels` has for `K` are, by name.
        ///
        /// - Precondition: the case is one of `K`.
        public func answers<K: Kernel<Float>>(_ kernel: K.Type, by kernels: KernelSet<Float>) -> [String: [Float]] {
            prepared.values.results(of: kernel, by: kernels)
        }

        /// Whether those results hold, by both yardsticks.
        public func holds(_ answers: [String: [Float]]) -> Bool {
            prepared.truth.results.allSatisfy { result in
                let answer = answers[result.argument.name] ?? []
                return answer.count == result.argument.count && result.measure(answer).worst <= 1
                    && result.blocks(answer)?.holds != false
            }
        }

        private func rows<K: Kernel<Float>>(
            _ kernel: K.Type, _ kernels: KernelSet<Float>
        ) throws(HarnessError) -> [ComparisonRow] {
            try DrawnTrial(kernel, prepared, kernels, threads: DrawnRun.threads(of: drawn)).findings.filter {
                !$0.holds
            }.map { $0.row(kernel, of: kernels, drawn.name) }
        }
    }

    /// How many cases are best computed at a time.
    public static let ahead = DrawnRun.ahead

    /// Computes what cases take and should leave, on all processors.
    public static func prepared(_ cases: [Case], by catalog: KernelCatalog = .standard) -> [Trial] {
        cases.concurrentMap { $0.prepared(by: catalog) }
    }

    private let subject: any Kernel<Float>.Type
    private let seed: UInt64
    /// The kernel.
    public var kernel: KernelName { subject.name }
    /// Its cases, the quickest first.
    public let cases: [Case]

    /// Those of every kernel of `catalog`.
    public static func all(of catalog: KernelCatalog = .standard, seed: UInt64 = 1) -> [DrawnCases] {
        DrawnCase.all(of: catalog, seed: seed).compactMap { drawn in
            guard let kernel = drawn.first?.kernel else { return nil }
            return DrawnCases(subject: kernel, seed: seed, cases: drawn.map(Case.init).sorted { $0.work < $1.work })
        }
    }

    /// What is to blame in `implementation`, tried for what is asked of every kernel besides right numbers, and the rows of
    /// what does not hold.
    ///
    /// - Throws: ``HarnessError`` where the machine has no room for a trial.
    public func verdictOnProperties(
        of implementation: Implementation<Float>, among catalog: KernelCatalog = .standard, threads: Int
    ) throws(HarnessError) -> (blamed: VerificationReport.Blame?, rows: [ComparisonRow]) {
        var kernels = KernelSet<Float>(catalog.reference, workers: Workers(count: threads))
        kernels.use(implementation)
        var request = VerificationRequest(kernels: kernels, fixtures: [])
        request.seed = seed
        var run = PropertyRun(request, by: KernelSet(catalog.exact))
        for property in KernelProperty.allCases { try run.add(property, of: subject) }
        let found = run.rows()
        return (Blame.of(found), found.filter { $0.verdict == .fail })
    }
}
