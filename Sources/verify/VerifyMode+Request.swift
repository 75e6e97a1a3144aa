import GPT2
import KernelCatalog
import Platform
import Reporting
import Terminal
import Verification

/// What the flags of `verify` ask for.
extension VerifyMode {
    /// What the flags ask for: the case of that name, or all that they choose.
    static func request(
        _ arguments: CommandArguments, _ name: CaseName?, _ selection: KernelSelection
    ) throws -> VerificationRequest {
        let given = arguments.has("--fixture") ? arguments.values("--fixture") : nil
        var request: VerificationRequest
        if let name {
            request = VerificationRequest(
                name, kernels: selection.kernels, libraries: selection.libraries, fixtures: given, root: ".")
        } else {
            request = VerificationRequest(
                kernels: selection.kernels, libraries: selection.libraries,
                fixtures: given ?? Verifier.committedFixtures(in: "."),
                operations: try KernelCatalog.standard.checkedOperations(arguments.list("--only")),
                modes: arguments.has("--mode")
                    ? try modes(arguments.list("--mode"))
                    : given == nil ? ComparisonRow.Mode.usual : ComparisonRow.Mode.ofFixtures)
            try chooseShapes(arguments, &request)
        }
        request.seed = UInt64(try arguments.count("--seed") ?? 1)
        if let allowed = arguments.value("--allow") {
            guard allowed == "nonfinite" else { throw UsageError("--allow: '\(allowed)' is not nonfinite") }
            request.allowsNonFinite = true
        }
        return request
    }

    /// The case of `--case`, if it is given.
    static func chosenCase(_ arguments: CommandArguments) throws -> CaseName? {
        guard let text = arguments.value("--case") else {
            guard !arguments.has("--dump") else { throw UsageError("--dump writes one case; name it with --case") }
            return nil
        }
        for flag in ["--only", "--mode", "--shapes", "--model", "--state"] where arguments.has(flag) {
            throw UsageError("\(flag) does not go with --case; leave it out")
        }
        let name: CaseName
        do { name = try CaseName(text) } catch { throw usageError(error) }
        guard !name.isDrawn || !arguments.has("--fixture") else {
            throw UsageError("--fixture does not go with a drawn case; leave it out")
        }
        if let file = arguments.value("--dump") { try AtomicFile.attempt(file) }
        return name
    }

    /// Says what is wrong with a case's name, and what is near it or else all that there is.
    static func usageError(_ error: CaseNameError) -> UsageError {
        let known = error.known
        let near = known.isEmpty || error.word.isEmpty ? "" : suggestion(error.word, among: known)
        return UsageError(
            "--case: \(error.problem)"
                + (near.isEmpty && !known.isEmpty ? " (there are \(known.joined(separator: ", ")))" : near))
    }

    /// Has the kernels be judged at the sizes of `--shapes`, if that is given, and in no other mode unless one is named.
    private static func chooseShapes(_ arguments: CommandArguments, _ request: inout VerificationRequest) throws {
        guard arguments.has("--shapes") else { return }
        if !arguments.has("--mode") { request.modes = [.drawn] }
        guard request.modes.contains(.drawn) else {
            throw UsageError("--shapes are those of the mode drawn; add that to --mode")
        }
        request.cases = .shapes(try arguments.list("--shapes").map { try ModelShape($0) })
    }

    /// The modes of a run without `--mode`, as the help names them.
    static let usualModes = ComparisonRow.Mode.allCases.filter { ComparisonRow.Mode.usual.contains($0) }
        .map(\.rawValue).joined(separator: ",")

    private static func modes(_ names: [String]) throws(UsageError) -> Set<ComparisonRow.Mode> {
        var modes: Set<ComparisonRow.Mode> = []
        for name in names {
            if name == "all" {
                modes.formUnion(ComparisonRow.Mode.allCases)
            } else if let mode = ComparisonRow.Mode(rawValue: name) {
                modes.insert(mode)
            } else {
                throw UsageError("--mode: '\(name)' is none of isolated, drawn, chained, training and all")
            }
        }
        return modes
    }
}
