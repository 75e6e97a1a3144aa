import Foundation
import Kernels
import Sentinel

/// A shared library in this process, which its code may end or corrupt.
public struct LoadedLibrary: Sendable {
    private typealias SetThreads = @convention(c) (Int32) -> Void

    /// What `dlopen` gave, as an address. It is never closed: threads of the library may be running.
    private let handle: Int
    private let setThreads: SetThreads?

    /// Loads the library at `path`; its initializers run.
    ///
    /// - Throws: ``ForeignLibraryError`` when it cannot be loaded.
    public init(_ path: String) throws(ForeignLibraryError) {
        // With a slash in it, dlopen looks nowhere else.
        let file = URL(fileURLWithPath: path).path
        guard let handle = ChildProcess.inside({ dlopen(file, RTLD_NOW | RTLD_LOCAL) }) else {
            throw ForeignLibraryError(path, dlerror().map { String(cString: $0) } ?? "dlopen gives no reason")
        }
        self.handle = Int(bitPattern: handle)
        // OpenMP's, where the library uses it.
        setThreads = dlsym(handle, "omp_set_num_threads").map { unsafeBitCast($0, to: SetThreads.self) }
    }

    /// Those of `kernels` that it has, to be called in this process, under that name.
    public func implementations(
        of kernels: [any Kernel<Float>.Type], named name: String
    ) -> [Implementation<Float>] {
        kernels.compactMap { implementation($0, name) }
    }

    private func implementation<K: Kernel<Float>>(_ kernel: K.Type, _ name: String) -> Implementation<Float>? {
        function(of: K.name).map { function in
            Implementation(name) { (call: K, workers: Workers) in
                let arguments = ForeignArguments(call)
                run(function, arguments.kinds, arguments.words, threads: Int32(workers.count))
            }
        }
    }

    /// Calls a function of it on that number of threads.
    func run(
        _ function: ForeignFunction, _ kinds: [ForeignArguments.Kind], _ words: UnsafePointer<UInt64>, threads: Int32
    ) {
        setThreads?(threads)
        function.call(kinds, words)
    }

    /// Its function for the kernel, if it has one.
    func function(of kernel: KernelName) -> ForeignFunction? {
        dlsym(UnsafeMutableRawPointer(bitPattern: handle), kernel.symbol).map {
            ForeignFunction(address: Int(bitPattern: $0))
        }
    }
}
