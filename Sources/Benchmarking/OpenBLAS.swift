import Foundation
import Kernels

/// Matrix multiplication by OpenBLAS: the system's, or the newer one that a package for Python brings.
struct OpenBLAS: MatmulLibrary {
    /// `cblas_sgemm`: order, transposes of a and b, M, N, K, alpha, a and its stride, b and its, beta, c and its.
    private typealias Multiply =
        @convention(c) (
            Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32, UnsafePointer<Float>, Int32,
            Float, UnsafeMutablePointer<Float>, Int32
        ) -> Void
    private typealias SetThreads = @convention(c) (Int32) -> Void
    private typealias Text = @convention(c) () -> UnsafePointer<CChar>?

    private let multiply: Multiply
    private let setThreads: SetThreads
    /// The release and the core whose kernels it has chosen, such as `OpenBLAS 0.3.34, kernels for SkylakeX`.
    let title: String

    /// Its threads wait for more work for 2 to the power of so many cycles, by its default 26: 20 ms in which they would
    /// take a processor from whoever is timed next. Within a block of calls they never wait as long as these.
    private static let waiting = ("OPENBLAS_THREAD_TIMEOUT", "20")

    /// The system's library.
    ///
    /// - Throws: ``PeerError`` when it is not there.
    static func system() throws(PeerError) -> OpenBLAS {
        let names = ["libopenblas.so.0", "libopenblas.so", "libopenblas.dylib"]
        guard let found = OpenBLAS(names, prefix: "") else {
            throw PeerError(description: "there is no libopenblas here; apt-get install libopenblas-dev gets it")
        }
        return found
    }

    /// The library of the package scipy-openblas32, which follows OpenBLAS's releases.
    ///
    /// - Throws: ``PeerError`` when it is not there.
    static func package() throws(PeerError) -> OpenBLAS {
        let names = ["libscipy_openblas.so", "libscipy_openblas.dylib"]
        let folder = PeerPython.folders.map { $0.packages + "/scipy_openblas32/lib/" }
        guard let folder, let found = OpenBLAS(names.map { folder + $0 }, prefix: "scipy_") else {
            throw PeerError(
                description: "\(PeerPython.interpreter) has no package scipy-openblas32; \(PeerPython.remedy) gets it")
        }
        return found
    }

    private init?(_ paths: [String], prefix: String) {
        setenv(Self.waiting.0, Self.waiting.1, 0)
        guard let library = PeerLibrary(paths),
            let multiply = library.function(prefix + "cblas_sgemm", as: Multiply.self),
            let setThreads = library.function(prefix + "openblas_set_num_threads", as: SetThreads.self)
        else { return nil }
        (self.multiply, self.setThreads) = (multiply, setThreads)
        func text(_ name: String) -> String {
            library.function(prefix + name, as: Text.self)?().map { String(cString: $0) } ?? ""
        }
        // "OpenBLAS 0.3.34 NO_AFFINITY …"
        let release = text("openblas_get_config").split(separator: " ").dropFirst().first ?? "of unknown release"
        let core = text("openblas_get_corename")
        title = "OpenBLAS \(release), kernels for \(core.isEmpty ? "an unknown core" : core)"
    }

    func kernels(named name: String) -> [Implementation<Float>] {
        [
            Implementation(name) { (a: Matmul.Forward<Float>, workers: Workers) in
                setThreads(Int32(workers.count))
                let rows = a.B * a.T
                for row in 0..<rows {
                    let out = a.out.slice(row * a.OC..<(row + 1) * a.OC)
                    if let bias = a.bias { _ = out.buffer.update(fromContentsOf: bias.buffer) } else { out.fill(0) }
                }
                accumulate(
                    a.out.base, rows: rows, columns: a.OC, depth: a.C, a.inp.base, false, stride: a.C, a.weight.base,
                    true, stride: a.C)
            },
            Implementation(name) { (a: Matmul.Backward<Float>, workers: Workers) in
                setThreads(Int32(workers.count))
                let rows = a.B * a.T
                accumulate(
                    a.dinp.base, rows: rows, columns: a.C, depth: a.OC, a.dout.base, false, stride: a.OC, a.weight.base,
                    false, stride: a.C)
                accumulate(
                    a.dweight.base, rows: a.OC, columns: a.C, depth: rows, a.dout.base, true, stride: a.OC, a.inp.base,
                    false, stride: a.C)
                a.addBiasGradient()
            },
        ]
    }

    /// c += a · b, row-major, where c is (rows, columns) and either factor may be stored transposed.
    private func accumulate(
        _ c: UnsafeMutablePointer<Float>, rows: Int, columns: Int, depth: Int, _ a: UnsafePointer<Float>,
        _ aIsTurned: Bool, stride aStride: Int, _ b: UnsafePointer<Float>, _ bIsTurned: Bool, stride bStride: Int
    ) {
        let (rowMajor, plain, turned): (Int32, Int32, Int32) = (101, 111, 112)
        multiply(
            rowMajor, aIsTurned ? turned : plain, bIsTurned ? turned : plain, Int32(rows), Int32(columns), Int32(depth),
            1, a, Int32(aStride), b, Int32(bStride), 1, c, Int32(columns))
    }
}

extension Matmul.Backward where Scalar == Float {
    /// dbias += Σ_rows dout, for libraries that have products alone.
    func addBiasGradient() {
        guard let dbias else { return }
        for row in 0..<B * T {
            for o in 0..<OC { dbias[o] += dout[row * OC + o] }
        }
    }
}
