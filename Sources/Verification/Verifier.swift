import Fixtures
import ForeignKernels
import Foundation
import GPT2
import KernelCatalog
import Kernels
import Platform
import Reporting

/// What to verify.
public struct VerificationRequest {
    /// The kernels.
    public var kernels: KernelSet<Float>
    /// The shared libraries that some are in. Where there are any, kernels that the reference stands in for are not judged
    /// alone.
    public var libraries: [ForeignLibrary]
    /// Paths of fixtures; see ``Verifier/committedFixtures(in:)``.
    public var fixtures: [String]
    /// The operations to judge; all if empty.
    public var operations: Set<String>
    /// The ways of judging.
    public var modes: Set<ComparisonRow.Mode>
    /// The cases that kernels are tried on.
    public var cases = CaseChoice.usual
    /// Chooses the sizes and inputs of drawn cases.
    public var seed: UInt64 = 1
    /// Sits between a model and its kernels and may change the calls: a planted fault of wiring.
    public var rewiring: (any KernelInterceptor<Float>)?

    /// A request to judge `kernels` by `fixtures`, in every operation, by fixtures alone, unless given.
    public init(
        kernels: KernelSet<Float>, libraries: [ForeignLibrary] = [], fixtures: [String], operations: Set<String> = [],
        modes: Set<ComparisonRow.Mode> = ComparisonRow.Mode.ofFixtures,
        rewiring: (any KernelInterceptor<Float>)? = nil
    ) {
        self.kernels = kernels
        self.libraries = libraries
        self.fixtures = fixtures
        self.operations = operations
        self.modes = modes
        self.rewiring = rewiring
    }

    /// A request to judge `kernels` by one case alone, with the fixtures of the project at `root` if none are given.
    public init(
        _ name: CaseName, kernels: KernelSet<Float>, libraries: [ForeignLibrary] = [], fixtures: [String]?, root: String
    ) {
        let usual = Verifier.committedFixture(of: name.operation, in: root)
        self.init(
            kernels: kernels, libraries: libraries, fixtures: name.isDrawn ? [] : fixtures ?? [usual],
            operations: [name.operation], modes: [name.isDrawn ? .drawn : .isolated])
        cases = .one(name)
    }

    /// Whether the usual cases are asked for.
    var isOfUsualCases: Bool { if case .usual = cases { true } else { false } }

    /// Whether one case alone is asked for.
    var isOfOneCase: Bool { if case .one = cases { true } else { false } }

    /// The drawn cases that are asked for, kernel by kernel.
    ///
    /// - Throws: ``CaseNameError`` where there can be none of that name.
    func drawnCases(of catalog: KernelCatalog) throws(CaseNameError) -> [[DrawnCase]] {
        switch cases {
        case .usual: return DrawnCase.all(of: catalog, seed: seed)
        case .shapes(let shapes): return DrawnCase.all(of: catalog, at: shapes, seed: seed)
        case .one(let name):
            var found: [[DrawnCase]] = []
            for kernel in catalog.kernels where name.names(kernel.name) && name.property == nil {
                found.append([try DrawnCase(kernel, named: name.name, seed: seed)])
            }
            return found
        }
    }

    /// The properties of the kernel that are to be tried.
    func properties(of kernel: KernelName) -> [KernelProperty] {
        guard judges(kernel, in: .drawn) else { return [] }
        return switch cases {
        case .usual: KernelProperty.allCases
        case .shapes: []
        case .one(let name): name.names(kernel) ? [name.property].compactMap(\.self) : []
        }
    }

    /// Whether the kernel is to be judged alone.
    func judges(_ kernel: KernelName, in mode: ComparisonRow.Mode = .isolated) -> Bool {
        guard modes.contains(mode), operations.isEmpty || operations.contains(kernel.operation) else {
            return false
        }
        return libraries.isEmpty || ![nil, "reference"].contains(kernels.implementation(named: kernel))
    }
}

/// What a verification found; the caller adds the machine and the flags to make a report of it.
public struct VerificationOutcome: Sendable {
    /// Whether everything held.
    public var verdict: VerificationReport.Verdict { blamed == nil ? .pass : .fail }
    /// What is to blame if not.
    public let blamed: VerificationReport.Blame?
    /// The fixtures read.
    public let fixtures: [VerificationReport.Fixture]
    /// The drawn cases; nil where none was asked for.
    public var drawn: VerificationReport.Drawn?
    /// Every comparison, in order.
    public let rows: [ComparisonRow]
    /// What was found in each case, where one alone was asked for.
    public var records: [CaseRecord] = []
}

/// Judges a set of kernels by fixtures.
public struct Verifier {
    private let request: VerificationRequest
    private let progress: ProgressHandler

    /// A verifier for `request`.
    public init(_ request: VerificationRequest, progress: @escaping ProgressHandler = { _, _ in }) {
        self.request = request
        self.progress = progress
    }

    /// The fixtures of the repository at `root`: one file for each operation, and `tiny.h5`.
    public static func committedFixtures(in root: String) -> [String] {
        KernelCatalog.standard.operations.map { committedFixture(of: $0, in: root) } + ["\(root)/fixtures/tiny.h5"]
    }

    /// That of one operation.
    static func committedFixture(of operation: String, in root: String) -> String {
        "\(root)/fixtures/kernels/\(operation).h5"
    }

    /// Compares everything.
    ///
    /// - Throws: ``FixtureError`` when a fixture cannot be used, or when there is nothing to compare; ``CaseNameError`` where
    ///   there is no case of the name asked for; ``HarnessError`` where the machine has no room for the trials.
    public func run() throws -> VerificationOutcome {
        defer { for library in request.libraries { library.rest() } }
        var rows: [ComparisonRow] = []
        var records: [CaseRecord] = []
        var fixtures: [VerificationReport.Fixture] = []
        for (number, path) in request.fixtures.enumerated() {
            let total = Double(request.fixtures.count)
            progress(path, Double(number) / total)
            let file = try FixtureFile(path)
            var ledger = Ledger(file: file) { progress(path, (Double(number) + $0) / total) }
            switch file.kind {
            case .state where request.isOfOneCase: continue
            case .kernels:
                records += try KernelFixtureRun(file: file, request: request).run(&ledger)
            case .state:
                try StateFixtureRun(file: file, request: request).run(&ledger)
            }
            fixtures.append(try ledger.close())
            rows += ledger.rows
        }
        var drawn: VerificationReport.Drawn?
        if request.modes.contains(.drawn) {
            var run = try DrawnRun(request)
            let found = try run.run(progress)
            records += run.records
            drawn = VerificationReport.Drawn(calls: found.calls, seed: request.seed)
            rows += found.rows
        }
        if case .one(let name) = request.cases, rows.isEmpty {
            throw CaseNameError(
                "\(name) was not tried: "
                    + (request.libraries.isEmpty
                        ? "no fixture given has it" : "\(request.libraries[0].path) has no such kernel"))
        }
        rows += request.libraries.compactMap(ComparisonRow.init(loading:))
        guard !rows.isEmpty else {
            throw FixtureError(
                file: request.fixtures.joined(separator: ", "), "nothing in it was compared",
                remedy: "choose fixtures, --only and --mode that have something in common")
        }
        return VerificationOutcome(
            blamed: Blame.of(rows), fixtures: fixtures, drawn: drawn, rows: rows, records: records)
    }
}
