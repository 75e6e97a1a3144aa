import Kernels
import Platform

/// A library of `--peers` that has matrix multiplication alone, and runs in a worker of this package.
public enum MatmulPeer: String, CaseIterable, Sendable {
    /// OpenBLAS as the system has it.
    case openblas
    /// The OpenBLAS of the package scipy-openblas32: a newer release.
    case openblasPackage = "pypi-openblas"
    /// oneDNN.
    case onednn

    /// Its worker's side.
    ///
    /// - Throws: ``PeerError`` when this machine has not what it needs.
    public func service() throws(PeerError) -> WorkerService {
        let (kernels, title) = try load()
        return WorkerService(name: rawValue, title: title, kernels: KernelSet(kernels), settling: Self.settling)
    }

    /// Its threads go on waiting for a while after a call, and have to be asleep when another worker's turn comes.
    private static let settling = 0.003

    private func load() throws(PeerError) -> ([Implementation<Float>], title: String) {
        do throws(PeerError) {
            let library: any MatmulLibrary =
                switch self {
                case .openblas: try OpenBLAS.system()
                case .openblasPackage: try OpenBLAS.package()
                case .onednn: try OneDNN()
                }
            return (library.kernels(named: rawValue), library.title)
        } catch {
            throw PeerError(description: "--peers \(rawValue): \(error)")
        }
    }

    /// The variables of the environment by which a user can take the choice of kernels from it.
    var settings: [String] {
        switch self {
        case .openblas, .openblasPackage: ["OPENBLAS_CORETYPE"]
        case .onednn: ["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ONEDNN_CPU_ISA_HINTS", "DNNL_CPU_ISA_HINTS"]
        }
    }
}

/// Such a library, loaded.
protocol MatmulLibrary: Sendable {
    /// The release, and the kernels that it has chosen for this machine.
    var title: String { get }
    /// The kernels that it has: matmul, under that name.
    func kernels(named name: String) -> [Implementation<Float>]
}
