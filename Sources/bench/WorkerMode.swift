import Benchmarking
import ForeignKernels
import KernelCatalog
import Kernels
import Terminal

/// `bench worker`: what the conductor starts.
enum WorkerMode {
    private static let syntax = CommandSyntax(
        "bench worker",
        summary: "Times kernels as a conductor asks, over standard input and output; not to be started by hand.",
        flags: [Flag("--kernels", "SET", help: "The kernels to time; fast if not given.")], examples: [])

    static func run(_ words: [String]) throws -> ExitCode {
        let selection = try syntax.parse(words).value("--kernels") ?? "fast"
        if let peer = MatmulPeer(rawValue: selection) {
            try peer.service().run()
            return .held
        }
        let kernels =
            ForeignLibrary.isPath(selection)
            ? try library(selection) : try KernelCatalog.standard.set(named: selection)
        try WorkerService(name: ForeignLibrary.name(of: selection), kernels: kernels).run()
        return .held
    }

    /// The kernels of a library, called in this process: a worker may crash.
    private static func library(_ path: String) throws(ForeignLibraryError) -> KernelSet<Float> {
        KernelSet(
            try LoadedLibrary(path).implementations(
                of: KernelCatalog.standard.kernels, named: ForeignLibrary.name(of: path)))
    }
}
