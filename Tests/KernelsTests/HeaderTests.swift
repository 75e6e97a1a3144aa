import Foundation
import KernelCatalog
import Kernels
import TestSupport
import Testing

/// `include/plumbline_kernels.h` declares what the contracts say: a function for each kernel, and no other.
struct HeaderTests {
    private static let path = "include/plumbline_kernels.h"

    private var header: String {
        get throws {
            try String(contentsOfFile: "\(packageRoot)/\(Self.path)", encoding: .utf8)
        }
    }

    @Test func declaresEveryKernel() throws {
        let complaints = complaints(about: try header)
        #expect(complaints.isEmpty, "\(complaints.joined(separator: "\n"))")
    }

    struct Mistake: CustomTestStringConvertible {
        let text: String
        let replacement: String
        /// What the one complaint says.
        let says: String
        var testDescription: String { "\(text) → \(replacement)" }
    }

    static let mistakes = [
        Mistake(
            text: "float *mean, float *rstd, const", replacement: "float *rstd, float *mean, const",
            says: "layernorm_forward: argument 2 is 'float *rstd', and must be 'float *mean'"),
        Mistake(
            text: "const int *inp, int B, int T, int C);", replacement: "int *inp, int B, int T, int C);",
            says: "encoder_backward: argument 4 is 'int *inp', and must be 'const int *inp'"),
        Mistake(
            text: "float eps, float weight_decay", replacement: "float eps, float decay",
            says: "adamw_update: argument 9 is 'float decay', and must be 'float weight_decay'"),
        Mistake(
            text: "int B, int T, int C, int OC);", replacement: "int B, int T, int C);",
            says: "matmul_forward: argument 8 is missing, and must be 'int OC'"),
        Mistake(
            text: "const float *dout, int N);", replacement: "const float *dout, int N, int M);",
            says: "gelu_backward: argument 5 is 'int M', and must not be there"),
        Mistake(
            text: "void softmax_forward(", replacement: "int softmax_forward(", says: "softmax_forward: returns 'int'"),
        Mistake(
            text: "void gelu_forward(float *out, const float *inp, int N);", replacement: "",
            says: "gelu_forward: there is no prototype"),
        Mistake(
            text: "void gelu_forward(", replacement: "void other_forward(float *out);\nvoid gelu_forward(",
            says: "other_forward: no kernel is called so"),
        Mistake(
            text: "void gelu_forward(", replacement: "void gelu_forward(float *out);\nvoid gelu_forward(",
            says: "gelu_forward: there are 2 prototypes"),
    ]

    @Test(arguments: mistakes)
    func mistakesAreNamed(_ mistake: Mistake) throws {
        let header = try header
        try #require(header.contains(mistake.text))
        let wrong = header.replacing(mistake.text, with: mistake.replacement, maxReplacements: 1)
        #expect(complaints(about: wrong) == ["\(Self.path): \(mistake.says)"])
    }

    // MARK: -

    /// A function as C declares it.
    private struct Prototype {
        let result: String
        let name: String
        /// Each as type and name, such as `const float *inp`.
        let arguments: [String]
    }

    /// What differs between the header and the contracts.
    private func complaints(about header: String) -> [String] {
        let declared = Dictionary(grouping: prototypes(in: header), by: \.name)
        let kernels = KernelCatalog.standard.kernels
        let unknown = Set(declared.keys).subtracting(kernels.map { $0.name.symbol }).sorted()
        return
            (kernels.compactMap { complaint(about: declared[$0.name.symbol] ?? [], $0) }
            + unknown.map { "\($0): no kernel is called so" }).map { "\(Self.path): \($0)" }
    }

    /// What is wrong with the prototypes of a kernel, the first of it; nil if it has one, and that is right.
    private func complaint<K: Kernel<Float>>(about prototypes: [Prototype], _ kernel: K.Type) -> String? {
        let symbol = K.name.symbol
        guard let prototype = prototypes.first else { return "\(symbol): there is no prototype" }
        guard prototypes.count == 1 else { return "\(symbol): there are \(prototypes.count) prototypes" }
        guard prototype.result == "void" else { return "\(symbol): returns '\(prototype.result)'" }
        let (found, right) = (prototype.arguments, arguments(of: kernel))
        for index in 0..<max(found.count, right.count) {
            let (argument, asked) = (found.dropFirst(index).first, right.dropFirst(index).first)
            guard argument != asked else { continue }
            return "\(symbol): argument \(index + 1) is \(argument.map { "'\($0)'" } ?? "missing"), and must "
                + (asked.map { "be '\($0)'" } ?? "not be there")
        }
        return nil
    }

    /// The arguments that the contract asks for: tensors, then hyperparameters, then sizes.
    private func arguments<K: Kernel<Float>>(of _: K.Type) -> [String] {
        let signature = K().signature
        let tensors = signature.arguments.map { argument in
            let type = if case .tokens = argument.elements { "int" } else { "float" }
            return "\(argument.isResult ? "" : "const ")\(type) *\(argument.name)"
        }
        return tensors + signature.hyperparameters.map { "float \($0.name)" }
            + signature.sizes.filter(\.isPassed).map { "int \($0.name)" }
    }

    /// The prototypes in the text of a header, which may be laid out in any way.
    private func prototypes(in header: String) -> [Prototype] {
        // Swift's regular expressions cross lines; comments and directives end with theirs.
        let code = header.replacing(/\/\/[^\n]*|#[^\n]*/, with: "")
        return code.matches(of: /(\w+)\s+(\w+)\s*\(([^)]*)\)\s*;/).map { match in
            Prototype(
                result: String(match.1), name: String(match.2),
                arguments: match.3.split(separator: ",").map { argument in
                    argument.matches(of: /\w+|\*/).map { String($0.0) }.joined(separator: " ")
                        .replacing("* ", with: "*")
                })
        }
    }
}
