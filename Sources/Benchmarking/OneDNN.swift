import Foundation
import Kernels
import Synchronization

/// Matrix multiplication by oneDNN's matmul primitive, through its C interface, version 3.
///
/// The matrices are handed over as they lie, by their strides; a sum is added to in place (the post-operation `sum`), and
/// a bias comes in with the product. So a call's time holds the primitive alone, with whatever it packs for itself:
/// no conversion of a layout, no copy, no allocation of a result. A primitive is made once for each size, before the timing.
///
/// Source: oneDNN developer guide, Matrix Multiplication; `dnnl.h`.
final class OneDNN: MatmulLibrary {
    /// The release and the implementation that it chooses for a product, such as `oneDNN 3.2.0, brg_matmul:avx512_core`.
    let title: String

    private let api: API
    private let state: Mutex<State>

    /// Loads the library: of the package onednn-cpu-gomp, or the system's.
    ///
    /// - Throws: ``PeerError`` when it is not there, or too old.
    init() throws(PeerError) {
        let name = "libdnnl.so.3"
        let paths = (PeerPython.folders.map { ["\($0.data)/lib/\(name)"] } ?? []) + [name]
        guard let library = PeerLibrary(paths), let api = API(library) else {
            throw PeerError(
                description: "there is no \(name) here that can be loaded, with OpenMP's threads; "
                    + "\(PeerPython.remedy) gets it, and apt-get install libgomp1 what it needs")
        }
        self.api = api
        var state = State(api)
        let version = api.version().load(as: API.Version.self)
        let square = Matrix(rows: 256, columns: 256)
        let chosen = state.product(Product.Form(square, square, square, sums: false, hasBias: false, threads: 1)).name
        title = "oneDNN \(version.major).\(version.minor).\(version.patch), \(chosen)"
        self.state = Mutex(state)
    }

    func kernels(named name: String) -> [Implementation<Float>] {
        [
            Implementation(name) { (call: Matmul.Forward<Float>, workers: Workers) in
                let rows = call.B * call.T
                self.multiply(
                    Operand(call.inp.base, Matrix(rows: rows, columns: call.C)),
                    Operand(call.weight.base, Matrix(rows: call.OC, columns: call.C).turned),
                    into: Operand(call.out.base, Matrix(rows: rows, columns: call.OC)),
                    sums: false, bias: call.bias?.base, workers)
            },
            Implementation(name) { (call: Matmul.Backward<Float>, workers: Workers) in
                let rows = call.B * call.T
                let dout = Operand(call.dout.base, Matrix(rows: rows, columns: call.OC))
                self.multiply(
                    dout, Operand(call.weight.base, Matrix(rows: call.OC, columns: call.C)),
                    into: Operand(call.dinp.base, Matrix(rows: rows, columns: call.C)), sums: true, workers)
                self.multiply(
                    dout.turned, Operand(call.inp.base, Matrix(rows: rows, columns: call.C)),
                    into: Operand(call.dweight.base, Matrix(rows: call.OC, columns: call.C)), sums: true, workers)
                call.addBiasGradient()
            },
        ]
    }

    /// c = a · b + bias, or c += a · b.
    private func multiply(
        _ a: Operand, _ b: Operand, into c: Operand, sums: Bool, bias: UnsafePointer<Float>? = nil, _ workers: Workers
    ) {
        let form = Product.Form(
            a.matrix, b.matrix, c.matrix, sums: sums, hasBias: bias != nil, threads: workers.count)
        state.withLock { state in
            let product = state.product(form)
            var arguments = product.arguments
            for (index, address) in [a.address, b.address, c.address, bias.map { UnsafeRawPointer($0) }].enumerated()
            where index < arguments.count {
                check(api.setHandle(arguments[index].memory, UnsafeMutableRawPointer(mutating: address)))
            }
            check(api.execute(product.primitive, state.stream, Int32(arguments.count), &arguments))
            check(api.wait(state.stream))
        }
    }
}

/// A matrix that lies in memory by its strides, in elements.
private struct Matrix: Hashable {
    var rows, columns, rowStride, columnStride: Int

    /// One whose rows lie one after the other.
    init(rows: Int, columns: Int) { (self.rows, self.columns, rowStride, columnStride) = (rows, columns, columns, 1) }

    /// The transpose, as it lies.
    var turned: Matrix {
        var turned = self
        (turned.rows, turned.columns, turned.rowStride, turned.columnStride) = (columns, rows, columnStride, rowStride)
        return turned
    }
}

/// A matrix and where it is.
private struct Operand {
    let address: UnsafeRawPointer
    let matrix: Matrix

    init(_ address: UnsafeRawPointer, _ matrix: Matrix) { (self.address, self.matrix) = (address, matrix) }

    var turned: Operand { Operand(address, matrix.turned) }
}

/// A product that is ready to run.
private struct Product {
    /// What it is made for.
    struct Form: Hashable {
        let a, b, c: Matrix
        let sums, hasBias: Bool
        let threads: Int

        init(_ a: Matrix, _ b: Matrix, _ c: Matrix, sums: Bool, hasBias: Bool, threads: Int) {
            (self.a, self.b, self.c, self.sums, self.hasBias, self.threads) = (a, b, c, sums, hasBias, threads)
        }
    }

    let primitive: OpaquePointer?
    /// a, b, c and the bias, where there is one.
    let arguments: [API.Argument]
    /// oneDNN's name of its implementation.
    let name: String
}

/// The engine, its stream, and the products that were made. It lives as long as the process.
private struct State: @unchecked Sendable {
    private let api: API
    private var engine: OpaquePointer?
    private(set) var stream: OpaquePointer?
    private var products: [Product.Form: Product] = [:]
    /// The threads that OpenMP was last told.
    private var threads = 0

    init(_ api: API) {
        self.api = api
        check(api.makeEngine(&engine, API.processor, 0))
        check(api.makeStream(&stream, engine, API.inOrder))
    }

    /// The product of that form, made if there is none; OpenMP is told its threads.
    mutating func product(_ form: Product.Form) -> Product {
        if threads != form.threads { api.setThreads(Int32(form.threads)) }
        threads = form.threads
        if let product = products[form] { return product }
        let product = make(form)
        products[form] = product
        return product
    }

    private func make(_ form: Product.Form) -> Product {
        var (attributes, operations): (OpaquePointer?, OpaquePointer?) = (nil, nil)
        check(api.makeAttributes(&attributes))
        if form.sums {
            check(api.makePostOperations(&operations))
            check(api.addSum(operations, 1, 0, API.float32))
            check(api.setPostOperations(attributes, operations))
        }
        var bias = Matrix(rows: 1, columns: form.c.columns)
        bias.rowStride = form.c.columns
        let layouts = [form.a, form.b, form.c] + (form.hasBias ? [bias] : [])
        let descriptors = layouts.map(descriptor)
        var (description, primitive): (OpaquePointer?, OpaquePointer?) = (nil, nil)
        check(
            api.describeMatmul(
                &description, engine, descriptors[0], descriptors[1], form.hasBias ? descriptors[3] : nil,
                descriptors[2], attributes))
        check(api.makePrimitive(&primitive, description))
        var name: UnsafePointer<CChar>?
        check(api.query(description, API.implementationName, 0, &name))
        let arguments = zip(API.roles, descriptors).map { role, descriptor in
            var memory: OpaquePointer?
            check(api.makeMemory(&memory, descriptor, engine, nil))
            return API.Argument(role: role, memory: memory)
        }
        return Product(
            primitive: primitive, arguments: arguments, name: name.map { String(cString: $0) } ?? "unknown kernel")
    }

    private func descriptor(_ matrix: Matrix) -> OpaquePointer? {
        var descriptor: OpaquePointer?
        let extents = [Int64(matrix.rows), Int64(matrix.columns)]
        let strides = [Int64(matrix.rowStride), Int64(matrix.columnStride)]
        check(api.describeMemory(&descriptor, 2, extents, API.float32, strides))
        return descriptor
    }
}

/// The worker ends where oneDNN refuses what its interface allows.
private func check(_ status: Int32) { precondition(status == 0, "oneDNN answers with status \(status)") }

/// The functions and numbers of `dnnl.h` that are used here.
private struct API: Sendable {
    typealias Handle = OpaquePointer?
    typealias Out = UnsafeMutablePointer<OpaquePointer?>

    /// `dnnl_version_t`, whose first numbers are these.
    struct Version { var major, minor, patch: Int32 }
    /// `dnnl_exec_arg_t`.
    struct Argument {
        var role: Int32
        var memory: Handle
    }

    /// `dnnl_cpu`, `dnnl_stream_in_order`, `dnnl_f32`, `dnnl_query_impl_info_str`.
    static let (processor, inOrder, float32, implementationName): (Int32, UInt32, Int32, Int32) = (1, 1, 3, 8)
    /// `DNNL_ARG_SRC`, `DNNL_ARG_WEIGHTS`, `DNNL_ARG_DST`, `DNNL_ARG_BIAS`.
    static let roles: [Int32] = [1, 33, 17, 41]

    let version: @convention(c) () -> UnsafeRawPointer
    let makeEngine: @convention(c) (Out, Int32, Int) -> Int32
    let makeStream: @convention(c) (Out, Handle, UInt32) -> Int32
    let wait: @convention(c) (Handle) -> Int32
    let describeMemory: @convention(c) (Out, Int32, UnsafePointer<Int64>, Int32, UnsafePointer<Int64>) -> Int32
    let makeMemory: @convention(c) (Out, Handle, Handle, UnsafeMutableRawPointer?) -> Int32
    let setHandle: @convention(c) (Handle, UnsafeMutableRawPointer?) -> Int32
    let makeAttributes: @convention(c) (Out) -> Int32
    let makePostOperations: @convention(c) (Out) -> Int32
    let addSum: @convention(c) (Handle, Float, Int32, Int32) -> Int32
    let setPostOperations: @convention(c) (Handle, Handle) -> Int32
    let describeMatmul: @convention(c) (Out, Handle, Handle, Handle, Handle, Handle, Handle) -> Int32
    let makePrimitive: @convention(c) (Out, Handle) -> Int32
    let query: @convention(c) (Handle, Int32, Int32, UnsafeMutableRawPointer) -> Int32
    let execute: @convention(c) (Handle, Handle, Int32, UnsafeRawPointer) -> Int32
    /// OpenMP's, which the library needs.
    let setThreads: @convention(c) (Int32) -> Void

    /// The functions of `library`; nil where it has not all, as before version 3, or other threads than OpenMP's.
    init?(_ library: PeerLibrary) {
        func find<Function>(_ name: String) throws(Missing) -> Function {
            guard let function = library.function(name, as: Function.self) else { throw Missing() }
            return function
        }
        do throws(Missing) {
            version = try find("dnnl_version")
            makeEngine = try find("dnnl_engine_create")
            makeStream = try find("dnnl_stream_create")
            wait = try find("dnnl_stream_wait")
            describeMemory = try find("dnnl_memory_desc_create_with_strides")
            makeMemory = try find("dnnl_memory_create")
            setHandle = try find("dnnl_memory_set_data_handle")
            makeAttributes = try find("dnnl_primitive_attr_create")
            makePostOperations = try find("dnnl_post_ops_create")
            addSum = try find("dnnl_post_ops_append_sum")
            setPostOperations = try find("dnnl_primitive_attr_set_post_ops")
            describeMatmul = try find("dnnl_matmul_primitive_desc_create")
            makePrimitive = try find("dnnl_primitive_create")
            query = try find("dnnl_primitive_desc_query")
            execute = try find("dnnl_primitive_execute")
            setThreads = try find("omp_set_num_threads")
        } catch {
            return nil
        }
    }

    private struct Missing: Error {}
}
