import GPT2
import KernelCatalog
import Kernels

/// A name that no case has: what is wrong with it, and what there is instead.
public struct CaseNameError: Error, CustomStringConvertible, Sendable {
    /// What is wrong.
    public let problem: String
    /// The word that is not known, and those that are; none where the name is wrong in another way.
    public let word: String, known: [String]

    public var description: String {
        problem + (known.isEmpty ? "" : " (there are \(known.joined(separator: ", ")))")
    }

    /// An error of that kind.
    init(_ problem: String, _ word: String = "", among known: [String] = []) {
        (self.problem, self.word, self.known) = (problem, word, known)
    }
}

/// A case as `--case` names it: `matmul/primes`, `matmul/backward/primes`, `matmul/forward/drawn:B=1,T=3,C=65,OC=2`, or
/// `matmul/forward/conduct`.
public struct CaseName: Sendable, CustomStringConvertible {
    /// The operation.
    public let operation: String
    /// The pass; nil for every one that has the case.
    public let pass: Pass?
    /// The case's own name.
    public let name: String

    /// Whether its sizes and inputs are drawn; else it is one of a fixture.
    public var isDrawn: Bool { property != nil || name.hasPrefix(DrawnCase.prefix) }

    /// The property of kernels whose trial it is, if it is one.
    var property: KernelProperty? { KernelProperty(rawValue: name) }

    public var description: String {
        ([operation] + (pass.map { [$0.rawValue] } ?? []) + [name]).joined(separator: "/")
    }

    /// Reads a name; whether a fixture has the case is not looked up yet.
    ///
    /// - Throws: ``CaseNameError`` for an operation or pass that there is not.
    public init(_ text: String, among catalog: KernelCatalog = .standard) throws(CaseNameError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (1...3).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else {
            throw CaseNameError(
                "cannot read '\(text)'; write an operation and a case, such as matmul/primes, and the pass between them "
                    + "where one is meant: matmul/backward/primes")
        }
        operation = parts[0]
        // An operation alone has no case of that name, and those that it has are listed.
        name = parts.count == 1 ? "" : parts[parts.count - 1]
        pass = parts.count == 3 ? Pass(rawValue: parts[1]) : nil
        let wanted = parts[0]
        let passes = catalog.kernels.map { $0.name }.filter { $0.operation == wanted }.map { $0.pass }
        guard !passes.isEmpty else {
            throw CaseNameError("no operation is called '\(wanted)'", wanted, among: catalog.operations)
        }
        guard parts.count < 3 || passes.contains(where: { $0.rawValue == parts[1] }) else {
            throw CaseNameError("\(wanted) has no pass '\(parts[1])'", parts[1], among: passes.map { $0.rawValue })
        }
    }

    /// Whether cases of the kernel can have the name.
    func names(_ kernel: KernelName) -> Bool {
        kernel.operation == operation && (pass == nil || kernel.pass == pass)
    }

    /// Whether it is the name of the case.
    func names(_ trial: CaseTrial) -> Bool { names(trial.kernel) && trial.name == name }
}

/// Which cases kernels are tried on.
public enum CaseChoice: Sendable {
    /// Those of the fixtures, and drawn ones of the usual sizes.
    case usual
    /// Drawn ones of those models' sizes in place of the usual.
    case shapes([ModelShape])
    /// One alone.
    case one(CaseName)
}
