import Accuracy
import Kernels
import Sentinel
import Tensors

/// A kernel's call on guarded memory, filled with values. Calls of one kernel lie in the same memory one after the other.
struct GuardedCall<K: Kernel<Float>> {
    /// The call.
    let call: K
    private let values: CallValues<Float>
    private let buffers: [(argument: Argument, buffer: GuardedBuffer)]

    /// A call on `values`, its arguments placed so; ``fill(asDecoy:)`` comes next.
    ///
    /// - Throws: ``HarnessError`` where there is no memory for it.
    init(_ values: CallValues<Float>, _ placement: GuardedBuffer.Placement) throws(HarnessError) {
        self.values = values
        let present = K(sizes: values.sizes, overwrites: values.overwrites) { _ in nil }.signature.arguments.filter {
            !values.absent.contains($0.name)
        }
        // Floats and tokens have 4 bytes each.
        let space = try GuardedSpace(for: K.name.symbol, holding: present.map { 4 * $0.count })
        var buffers: [(argument: Argument, buffer: GuardedBuffer)] = []
        var failure: HarnessError?
        func place<T: BitwiseCopyable & Sendable>(_ argument: Argument, _: T.Type) -> UnsafeMutableRawPointer? {
            do throws(HarnessError) {
                let buffer = try GuardedBuffer(
                    of: T.self, count: argument.count, placement, isInput: !argument.isResult, in: space)
                buffers.append((argument, buffer))
                return UnsafeMutableRawPointer(buffer.view(of: T.self).base)
            } catch {
                failure = error
                return nil
            }
        }
        call = K(sizes: values.sizes, hyperparameters: values.hyperparameters, overwrites: values.overwrites) {
            argument in
            guard !values.absent.contains(argument.name) else { return nil }
            return switch argument.elements {
            case .numbers: place(argument, Float.self)
            case .tokens: place(argument, Int32.self)
            }
        }
        self.buffers = buffers
        if let failure { throw failure }
    }

    /// The results' views, in the order of the contract.
    var results: [MutableView<Float>] { call.results.map(\.view) }

    /// Fills in inputs and starting values; what is overwritten starts as NaN.
    ///
    /// A decoy has every array of floats in reverse, so that a kernel that answers the next call from memory is wrong.
    func fill(asDecoy: Bool = false) { fill(values, asDecoy: asDecoy) }

    /// Fills in other values of the same sizes.
    func fill(_ values: CallValues<Float>, asDecoy: Bool = false) {
        for (argument, buffer) in buffers {
            if let tokens = values.tokens[argument.name] {
                _ = buffer.view(of: Int32.self).buffer.update(fromContentsOf: tokens)
            } else if argument.role != .output, let numbers = values.numbers[argument.name] {
                _ = buffer.view(of: Float.self).buffer.update(fromContentsOf: asDecoy ? numbers.reversed() : numbers)
            } else {
                buffer.view(of: Float.self).fill(.nan)
            }
        }
    }

    /// Runs `body`, in which the kernel runs and a write to an input is noted.
    func protecting<R>(_ body: () -> R) -> R { GuardedBuffer.protecting(buffers.map(\.buffer), body) }

    /// What each argument and its red zones hold now.
    var contents: [(argument: String, bytes: [UInt8])] { buffers.map { ($0.argument.name, $0.buffer.content) } }

    /// How the kernel left the bounds of its arguments.
    var strayings: [(argument: String, note: String)] {
        buffers.compactMap { argument, buffer in buffer.trespass.map { (argument.name, $0) } }
    }

    /// What the kernel did to its arguments that it must not: changed an input, or left an argument's bounds.
    var trespasses: [(argument: String, note: String)] {
        buffers.compactMap { argument, buffer in
            offences(buffer, argument).first.map { (argument.name, $0) }
        }
    }

    private func offences(_ buffer: GuardedBuffer, _ argument: Argument) -> [String] {
        guard !argument.isResult else { return buffer.offences(asInput: nil) }
        return values.tokens[argument.name]?.withUnsafeBytes { buffer.offences(asInput: $0) }
            ?? values.numbers[argument.name]?.withUnsafeBytes { buffer.offences(asInput: $0) }
            ?? buffer.offences(asInput: nil)
    }
}
