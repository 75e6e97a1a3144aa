import Kernels
import Sentinel
import Tensors

/// A call's arguments in guarded memory of one arena, which child processes share; where all lie in such memory already,
/// they stay where they are.
struct GuardedArguments<K: Kernel<Float>> {
    /// The call, on guarded memory.
    let call: K
    /// Where that lies.
    let arena: GuardedArena
    /// The pages that are closed during the call.
    let pages: [PageProtection]
    /// The bytes that had to be copied.
    var copiedBytes: Int { copies.reduce(0) { $0 + $1.original.count } }
    private let copies: [Copy]

    /// An argument in guarded memory of ours.
    private struct Copy {
        let argument: Argument
        let buffer: GuardedBuffer
        /// Where it comes from, and goes to if it is a result.
        let original: UnsafeMutableRawBufferPointer
    }

    /// The arguments of `call`.
    ///
    /// - Throws: ``HarnessError`` where there is no memory for them.
    init(_ call: K) throws(HarnessError) {
        let bounds = call.arguments.filter(\.isPresent)
        let placed = bounds.compactMap { $0.address.flatMap { GuardedBuffer.at($0) } }
        if let arena = placed.first?.arena, placed.count == bounds.count, placed.allSatisfy({ $0.arena === arena }) {
            let results = zip(bounds, placed).filter { $0.0.argument.isResult }.map(\.1)
            (self.call, self.arena, copies) = (call, arena, [])
            // A result may lie where an input does.
            pages = placed.map { buffer in
                buffer.protection(asInput: buffer.isInput && !results.contains { $0 === buffer })
            }
            return
        }
        // Floats and tokens have 4 bytes each.
        let space = try GuardedSpace(for: K.name.symbol, holding: bounds.map { 4 * $0.count })
        var copies: [Copy] = []
        var failure: HarnessError?
        self.call = call.moved { bound in
            guard let base = bound.address, failure == nil else { return nil }
            let buffer: GuardedBuffer
            do throws(HarnessError) {
                buffer = try GuardedBuffer(
                    of: Float.self, count: bound.count, .aligned, isInput: !bound.argument.isResult, in: space)
            } catch {
                failure = error
                return nil
            }
            let original = UnsafeMutableRawBufferPointer(start: base, count: buffer.bytes.count)
            let target = UnsafeMutableRawPointer(buffer.view(of: Float.self).base)
            target.copyMemory(from: base, byteCount: original.count)
            copies.append(Copy(argument: bound.argument, buffer: buffer, original: original))
            return target
        }
        if let failure { throw failure }
        (arena, self.copies) = (space.arena, copies)
        pages = copies.map { $0.buffer.protection(asInput: $0.buffer.isInput) }
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
