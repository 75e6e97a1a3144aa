import ForeignKernels
import Foundation
import KernelCatalog

/// A peer of `--peers` that cannot be timed here: what is missing, and how to get it.
public struct PeerError: Error, CustomStringConvertible, Sendable {
    public let description: String
}

extension WorkerCommand {
    /// What `--peers` takes, besides the paths of shared libraries.
    public static let peerNames = ["torch", "torch-compile"] + MatmulPeer.allCases.map(\.rawValue)

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
        if let peer = MatmulPeer(rawValue: name) {
            // Loaded here only to fail at once, and not in the worker, where it is missing.
            _ = try peer.service()
            return .kernels(name, settings: peer.settings)
        }
        switch name {
        case "torch": return try torch(name, [], patience: 300)
        case "torch-compile": return try torch(name, ["--compile"], patience: 1800)
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
            name: name, code: .program([PeerPython.interpreter, script] + arguments),
            remedy: Remedy(
                atStart: "\(PeerPython.remedy) gets PyTorch",
                atWork: "leave \(name) out of --peers, or the operation with --only"),
            patience: patience,
            settings: ["ATEN_CPU_CAPABILITY", "MKL_ENABLE_INSTRUCTIONS", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"])
    }

    /// Why whole training steps of it are not timed; nil if they are.
    var stepRefusal: String? {
        if MatmulPeer(rawValue: name) != nil { return "it has matmul alone" }
        return name == "reference" ? "left out: a step takes minutes" : nil
    }

    /// What the environment says in its stead of which kernels it uses, in words; nil where it chooses for itself.
    var overruledChoice: String? {
        let set = settings.compactMap { name in ProcessInfo.processInfo.environment[name].map { "\(name)=\($0)" } }
        return set.isEmpty
            ? nil
            : "\(name): \(set.joined(separator: ", ")) in the environment chooses its kernels, which may be slower than "
                + "its own choice"
    }
}
