import Foundation
import Kernels

/// Matrix multiplication by OpenBLAS, where the machine has it: a peer, loaded when it is asked for.
public struct OpenBLAS: Sendable {
    /// `cblas_sgemm`: order, transposes of a and b, M, N, K, alpha, a and its stride, b and its, beta, c and its.
    private typealias Multiply =
        @convention(c) (
            Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32, UnsafePointer<Float>, Int32,
            Float,
            UnsafeMutablePointer<Float>, Int32
        ) -> Void
    private typealias SetThreads = @convention(c) (Int32) -> Void

    private let multiply: Multiply
    private let setThreads: SetThreads

    /// Loads the library.
    ///
    /// - Throws: ``PeerError`` when it is not there.
    public init() throws(PeerError) {
        let names = ["libopenblas.so.0", "libopenblas.so", "libopenblas.dylib"]
        let library = names.lazy.compactMap { (name: String) in dlopen(name, RTLD_NOW) }.first
        guard let library, let multiply = dlsym(library, "cblas_sgemm"),
            let setThreads = dlsym(library, "openblas_set_num_threads")
        else {
            throw PeerError(
                description: "--peers openblas: there is no libopenblas here; apt-get install libopenblas-dev gets it")
        }
        // The casts are from addresses to function pointers of the types in the library's header.
        self.multiply = unsafeBitCast(multiply, to: Multiply.self)
        self.setThreads = unsafeBitCast(setThreads, to: SetThreads.self)
    }

    /// The kernels that it has: matmul.
    public var kernels: KernelSet<Float> {
        KernelSet([
            Implementation("openblas") { (a: Matmul.Forward<Float>, workers: Workers) in
                setThreads(Int32(workers.count))
                let rows = a.B * a.T
                for row in 0..<rows {
                    let out = a.out.slice(row * a.OC..<(row + 1) * a.OC)
                    if let bias = a.bias { _ = out.buffer.update(fromContentsOf: bias.buffer) } else { out.fill(0) }
                }
                accumulate(
                    a.out.base, rows: rows, columns: a.OC, depth: a.C, a.inp.base, false, stride: a.C, a.weight.base,
                    true,
                    stride: a.C)
            },
            Implementation("openblas") { (a: Matmul.Backward<Float>, workers: Workers) in
                setThreads(Int32(workers.count))
                let rows = a.B * a.T
                accumulate(
                    a.dinp.base, rows: rows, columns: a.C, depth: a.OC, a.dout.base, false, stride: a.OC, a.weight.base,
                    false, stride: a.C)
                accumulate(
                    a.dweight.base, rows: a.OC, columns: a.C, depth: rows, a.dout.base, true, stride: a.OC, a.inp.base,
                    false, stride: a.C)
                guard let dbias = a.dbias else { return }
                for row in 0..<rows {
                    for o in 0..<a.OC { dbias[o] += a.dout[row * a.OC + o] }
                }
            },
        ])
    }

    /// c += a · b, row-major, where c is (rows, columns) and either factor may be stored transposed.
    private func accumulate(
        _ c: UnsafeMutablePointer<Float>, rows: Int, columns: Int, depth: Int, _ a: UnsafePointer<Float>,
        _ aIsTurned: Bool,
        stride aStride: Int, _ b: UnsafePointer<Float>, _ bIsTurned: Bool, stride bStride: Int
    ) {
        let (rowMajor, plain, turned): (Int32, Int32, Int32) = (101, 111, 112)
        multiply(
            rowMajor, aIsTurned ? turned : plain, bIsTurned ? turned : plain, Int32(rows), Int32(columns), Int32(depth),
            1,
            a, Int32(aStride), b, Int32(bStride), 1, c, Int32(columns))
    }
}
