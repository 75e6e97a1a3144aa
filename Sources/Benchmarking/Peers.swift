import ForeignKernels
import Foundation
import KernelCatalog

/// A peer of `--peers` that cannot be timed here: what is missing, and how to get it.
public struct PeerError: Error, CustomStringConvertible, Sendable {
    public let description: String
}

extension WorkerCommand {
    /// What `--peers` takes, besides the paths of shared libraries.
    public static let peerNames = ["torch", "torch-compile", "openblas"]

    /// The worker of that peer.
    ///
    /// - Throws: ``PeerError`` when there is no such peer, or this machine has not what it needs.
    public static func peer(_ name: String) throws(PeerError) -> WorkerCommand {
        if ForeignLibrary.isPath(name) {
            do {
                _ = try ForeignLibrary(name, kernels: KernelCatalog.standard.kernels)
                return .kernels(name)
            } catch {
                throw PeerError(description: "--peers: \(error)")
            }
        }
        switch name {
        case "torch": return try torch(name, [], patience: 300)
        case "torch-compile": return try torch(name, ["--compile"], patience: 1800)
        case "openblas":
            // Loaded here only to fail at once, and not in the worker, where it is missing.
            _ = try OpenBLAS()
            return .kernels("openblas")
        default:
            throw PeerError(
                description: "--peers: there is no peer '\(name)'; there are \(peerNames.joined(separator: ", ")), "
                    + "and paths of shared libraries, such as ./libmine.so")
        }
    }

    /// The worker of PyTorch, whose import, and whose compilers where they are asked for, take long on a slow disk.
    private static func torch(
        _ name: String, _ arguments: [String], patience: Double
    ) throws(PeerError) -> WorkerCommand {
        let script = "scripts/torch_worker.py"
        guard FileManager.default.fileExists(atPath: script) else {
            throw PeerError(
                description: "--peers \(name): there is no \(script) here; run bench in the checkout's root")
        }
        return WorkerCommand(
            name: name, code: .program([try python(for: name), script] + arguments),
            remedy: Remedy(
                atStart: "python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements.txt gets PyTorch",
                atWork: "leave \(name) out of --peers, or the operation with --only"),
            patience: patience)
    }

    /// The Python to run: `PLUMBLINE_PYTHON`, that of `.venv`, or the system's.
    private static func python(for name: String) throws(PeerError) -> String {
        if let chosen = ProcessInfo.processInfo.environment["PLUMBLINE_PYTHON"], !chosen.isEmpty { return chosen }
        return FileManager.default.isExecutableFile(atPath: ".venv/bin/python") ? ".venv/bin/python" : "python3"
    }

    /// Why whole training steps of it are not timed; nil if they are.
    var stepRefusal: String? {
        switch name {
        case "reference": "left out: a step takes minutes"
        case "openblas": "it has matmul alone"
        default: nil
        }
    }
}
