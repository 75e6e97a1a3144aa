import Kernels
import Sentinel
import Tensors

/// A call's arguments in guarded memory, which child processes share; what lies in such memory already stays where it is.
struct GuardedArguments<K: Kernel<Float>> {
    /// The call, on guarded memory.
    let call: K
    /// Tells calls with the same memory for their arguments.
    let identity: [Int]
    /// The bytes that had to be copied.
    var copiedBytes: Int { copies.reduce(0) { $0 + $1.original.count } }
    /// Guarded memory to use again.
    let spare: Spare
    private let copies: [Copy]

    /// Guarded memory of earlier calls of the same kernel, by argument and size.
    typealias Spare = [String: [Int: GuardedBuffer]]

    /// An argument in guarded memory of ours.
    private struct Copy {
        let argument: Argument
        let buffer: GuardedBuffer
        /// Where it comes from, and goes to if it is a result.
        let original: UnsafeMutableRawBufferPointer
    }

    /// The arguments of `call`; they use the spare memory of earlier ones where it fits.
    ///
    /// - Throws: ``HarnessError`` where there is no memory for them.
    init(_ call: K, spare earlier: Spare) throws(HarnessError) {
        var (identity, spare, copies) = ([Int](), earlier, [Copy]())
        var failure: HarnessError?
        self.call = call.moved { bound in
            guard let base = bound.address else {
                identity.append(-1)
                return nil
            }
            if let buffer = GuardedBuffer.identity(at: base) {
                identity.append(buffer)
                return base
            }
            let (name, count) = (bound.argument.name, bound.count)
            let used = spare[name]?[count].flatMap { $0.trespass == nil ? $0 : nil }
            let buffer: GuardedBuffer
            do throws(HarnessError) {
                // Floats and tokens have 4 bytes each.
                buffer = if let used { used } else { try GuardedBuffer(of: Float.self, count: count, .aligned) }
            } catch {
                failure = error
                return nil
            }
            spare[name, default: [:]][count] = buffer
            identity.append(buffer.identity)
            let original = UnsafeMutableRawBufferPointer(start: base, count: buffer.bytes.count)
            let target = UnsafeMutableRawPointer(buffer.view(of: Float.self).base)
            target.copyMemory(from: base, byteCount: original.count)
            copies.append(Copy(argument: bound.argument, buffer: buffer, original: original))
            return target
        }
        if let failure { throw failure }
        (self.identity, self.spare, self.copies) = (identity, spare, copies)
    }

    /// Reports what the call did to arguments that it must not, and puts its results back.
    func finish() {
        // Results last: one may lie where an input does, which is then no change of that input.
        for copy in copies {
            let original = copy.argument.isResult ? nil : UnsafeRawBufferPointer(copy.original)
            for offence in copy.buffer.offences(asInput: original) {
                CallIncident(argument: copy.argument.name, note: offence, isFatal: false).report()
            }
        }
        for copy in copies where copy.argument.isResult { copy.original.copyMemory(from: copy.buffer.bytes) }
    }
}
