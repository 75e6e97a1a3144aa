import Foundation
import Kernels
import Sentinel
import Tensors

/// Puts a call's arguments into guarded memory, which child processes share, and its results back to where they belong.
/// What lies in guarded memory already stays.
struct GuardedArguments: ArgumentVisitor {
    /// Tells calls with the same memory for their arguments.
    private(set) var identity: [Int] = []
    /// The bytes that had to be copied.
    private(set) var copiedBytes = 0
    private var copies: [Copy] = []
    private var results: [MutableView<Float>] = []
    /// Guarded memory to use again.
    private(set) var spare: Spare

    /// Guarded memory of earlier calls of the same kernel, by argument and size.
    typealias Spare = [String: [Int: GuardedBuffer]]

    /// An argument in guarded memory of ours.
    private struct Copy {
        let name: String
        let buffer: GuardedBuffer
        /// Where it comes from.
        let original: UnsafeRawBufferPointer
        /// Where it goes to, if it is a result.
        let target: UnsafeMutableRawBufferPointer?
    }

    /// Arguments that use the spare memory of earlier ones where it fits.
    init(spare: Spare) { self.spare = spare }

    mutating func size(_ name: String, _ value: inout Int) {}
    mutating func require(_ holds: Bool, _ rule: String) {}
    mutating func hyperparameter(_ name: String, _ value: inout Float) {}

    mutating func input(_ argument: Argument, _ view: inout View<Float>) {
        if let copy = place(argument, view.buffer, target: nil) { view = View(copy.view(of: Float.self)) }
    }

    mutating func tokens(_ argument: Argument, below bound: Int, _ view: inout View<Int32>) {
        if let copy = place(argument, view.buffer, target: nil) { view = View(copy.view(of: Int32.self)) }
    }

    mutating func result(_ argument: Argument, _ view: inout MutableView<Float>) {
        results.append(view)
        let target = UnsafeMutableRawBufferPointer(view.buffer)
        if let copy = place(argument, UnsafeBufferPointer(view.buffer), target: target) {
            view = copy.view(of: Float.self)
        }
    }

    /// Puts what the call left in guarded memory back, and reports what it did to arguments that it must not.
    func finish() {
        for copy in copies {
            copy.target?.copyMemory(from: copy.buffer.bytes)
            for offence in copy.buffer.offences(asInput: copy.target == nil ? copy.original : nil) {
                CallIncident(argument: copy.name, note: offence, isFatal: false).report()
            }
        }
    }

    /// Makes every result NaN: there is none.
    func giveUp() {
        for result in results { result.fill(.nan) }
    }

    private mutating func place<Element: BitwiseCopyable & Sendable>(
        _ argument: Argument, _ elements: UnsafeBufferPointer<Element>, target: UnsafeMutableRawBufferPointer?
    ) -> GuardedBuffer? {
        // An argument that is absent.
        guard let base = elements.baseAddress, !elements.isEmpty else {
            identity.append(-1)
            return nil
        }
        if let buffer = GuardedBuffer.identity(at: base) {
            identity.append(buffer)
            return nil
        }
        let original = UnsafeRawBufferPointer(elements)
        let earlier = spare[argument.name]?[elements.count].flatMap { $0.trespass == nil ? $0 : nil }
        let buffer = earlier ?? GuardedBuffer(of: Element.self, count: elements.count, .aligned)
        spare[argument.name, default: [:]][elements.count] = buffer
        _ = buffer.view(of: Element.self).buffer.update(fromContentsOf: elements)
        identity.append(buffer.identity)
        copies.append(Copy(name: argument.name, buffer: buffer, original: original, target: target))
        copiedBytes += original.count
        return buffer
    }
}
