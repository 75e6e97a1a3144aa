import Foundation
import Kernels

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
        guard let handle = dlopen(URL(fileURLWithPath: path).path, RTLD_NOW | RTLD_LOCAL) else {
            throw ForeignLibraryError(path, dlerror().map { String(cString: $0) } ?? "dlopen gives no reason")
        }
        self.handle = Int(bitPattern: handle)
        // OpenMP's, where the library uses it.
        setThreads = dlsym(handle, "omp_set_num_threads").map { unsafeBitCast($0, to: SetThreads.self) }
    }

    /// The kernels that it has, to be called in this process, under that name.
    public func implementations(named name: String) -> [Implementation<Float>] {
        foreignKernels.compactMap { implementation($0, name) }
    }

    private func implementation<K: ForeignKernel>(_ kernel: K.Type, _ name: String) -> Implementation<Float>? {
        function(of: kernel).map { function in
            Implementation(name) { (call: K, workers: Workers) in
                setThreads?(Int32(workers.count))
                call.call(function)
            }
        }
    }

    /// Makes the call, if it has a function for it.
    func run<K: ForeignKernel>(_ call: K, threads: Int32) {
        setThreads?(threads)
        function(of: K.self).map(call.call)
    }

    /// Its function for the kernel, if it has one.
    func function<K: ForeignKernel>(of _: K.Type) -> K.Function? {
        // The cast is from an address to the function pointer that the ABI says is there.
        dlsym(UnsafeMutableRawPointer(bitPattern: handle), K.symbol).map { unsafeBitCast($0, to: K.Function.self) }
    }
}
