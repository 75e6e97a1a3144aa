import CFFI
import Kernels
import Sentinel

/// The arguments of a call as the C ABI passes them: the tensors, then the hyperparameters and the sizes, each in the order
/// of the contract.
struct ForeignArguments {
    /// How an argument is passed.
    enum Kind: Sendable {
        /// A tensor; NULL where it is absent.
        case pointer
        /// A hyperparameter.
        case float
        /// A size: a C `int`, beyond which no size of a model is.
        case int
    }

    /// How each is passed.
    let kinds: [Kind]
    /// The arguments, each in the low bytes of a word.
    let words: [UInt64]

    /// Those of `call`.
    init<K: Kernel<Float>>(_ call: K) {
        let presented = call.presented
        let signature = presented.signature
        let sizes = signature.sizes.filter(\.isPassed)
        kinds =
            signature.arguments.map { _ in .pointer } + signature.hyperparameters.map { _ in .float }
            + sizes.map { _ in .int }
        words =
            presented.arguments.map { UInt64(UInt(bitPattern: $0.address)) }
            + signature.hyperparameters.map { UInt64($0.value.bitPattern) }
            + sizes.map { UInt64(UInt32(bitPattern: Int32($0.value))) }
    }
}

/// A C function that returns nothing.
struct ForeignFunction: Sendable {
    /// Where it is.
    let address: Int

    /// Calls it with those arguments.
    ///
    /// The unsafe part: that a function of these arguments lies there is the library's word.
    func call(_ kinds: [ForeignArguments.Kind], _ words: UnsafePointer<UInt64>) {
        var types: [UnsafeMutablePointer<ffi_type>?] = kinds.map { kind in
            switch kind {
            case .pointer: plumbline_ffi_pointer()
            case .float: plumbline_ffi_float()
            case .int: plumbline_ffi_int()
            }
        }
        var values: [UnsafeMutableRawPointer?] = kinds.indices.map { UnsafeMutableRawPointer(mutating: words + $0) }
        var interface = ffi_cif()
        types.withUnsafeMutableBufferPointer { types in
            let status = ffi_prep_cif(
                &interface, FFI_DEFAULT_ABI, UInt32(types.count), plumbline_ffi_void(), types.baseAddress)
            precondition(status == FFI_OK, "libffi cannot call a function of \(types.count) arguments")
            let function = unsafeBitCast(address, to: (@convention(c) () -> Void).self)
            ChildProcess.inside { ffi_call(&interface, function, nil, &values) }
        }
    }
}
