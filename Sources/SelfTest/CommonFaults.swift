import Foundation
import KernelCatalog
import Kernels
import Sentinel
import Synchronization
import Tensors

/// A fault that any kernel can have: the right kernel runs, and something goes wrong around it.
struct CommonFault: Sendable {
    /// What is wrong, in words.
    let name: String
    /// Whether a kernel with these arguments can have it.
    var canHappen: @Sendable (CallArguments) -> Bool = { _ in true }
    /// Makes the call, wrongly, with memory of its own for as long as the implementation lives.
    let body: @Sendable (_ call: CallArguments, _ workers: Workers, _ memory: FaultMemory, _ run: () -> Void) -> Void

    /// What a faulty kernel remembers between calls.
    final class FaultMemory: Sendable {
        let calls = Mutex<[[Int]: [[Float]]]>([:])
        let generator = Mutex(SplitMix64(state: 1))
    }

    /// The fault in the reference's kernel; nil where that kernel cannot have it.
    func planted<K: Kernel<Float>>(in kernel: K.Type, of catalog: KernelCatalog) -> Fault? {
        guard canHappen(CallArguments(K())) else { return nil }
        let memory = FaultMemory()
        let (body, right) = (body, catalog.reference)
        let implementation = Implementation<Float>("faulty") { (call: K, workers: Workers) in
            body(CallArguments(call), workers, memory) { KernelSet(right).run(call) }
        }
        return Fault(name, in: implementation)
    }
}

/// The arguments of a call that is to go wrong.
struct CallArguments {
    /// The sizes, in the order of the contract.
    let sizes: [Int]
    /// The numbers that are only read.
    let inputs: [View<Float>]
    /// The results.
    let results: [(argument: Argument, view: MutableView<Float>)]

    init<K: Kernel<Float>>(_ call: K) {
        let presented = call.presented
        let arguments = presented.arguments
        sizes = presented.signature.sizes.map(\.value)
        inputs = arguments.filter { bound in
            if case .numbers = bound.argument.elements { !bound.argument.isResult } else { false }
        }.map { View($0.view) }
        results = arguments.filter { $0.argument.isResult }.map { ($0.argument, $0.view) }
    }

    /// The results' elements as they are.
    fileprivate var values: [[Float]] { results.map { Array($0.view.buffer) } }

    /// Gives each result those elements, where it has as many.
    fileprivate func set(_ values: [[Float]]) {
        for (result, values) in zip(results, values) where result.view.count == values.count {
            _ = result.view.buffer.update(fromContentsOf: values)
        }
    }

    /// Changes the first result in place.
    fileprivate func change(_ body: (MutableView<Float>, Argument) -> Void) {
        body(results[0].view, results[0].argument)
    }

    fileprivate var hasAccumulator: Bool { results.contains { $0.argument.role == .accumulator } }

    /// Whether something is computed with what a result held before, and not only set beside it as in a cache.
    fileprivate var addsToSome: Bool {
        results.contains { $0.argument.role == .accumulator && $0.argument.roundings > 0 }
    }
}

extension CommonFault {
    static let all: [CommonFault] = [
        // MARK: Work left out
        CommonFault(name: "does nothing") { _, _, _, _ in },
        CommonFault(name: "all zeros") { call, _, _, run in
            run()
            call.set(call.values.map { $0.map { _ in 0 } })
        },
        CommonFault(name: "the last element left out") { call, _, _, run in
            let before = call.values
            run()
            call.change { view, _ in view[view.count - 1] = before[0][view.count - 1] }
        },
        CommonFault(name: "the last row left out", canHappen: { $0.results[0].argument.shape.count > 1 }) {
            call, _, _, run in
            let before = call.values
            run()
            call.change { view, argument in
                let columns = argument.shape[argument.shape.count - 1]
                for i in view.count - columns..<view.count { view[i] = before[0][i] }
            }
        },
        CommonFault(name: "the last partial vector of 8 left out") { call, _, _, run in
            let before = call.values
            run()
            call.change { view, _ in for i in view.count / 8 * 8..<view.count { view[i] = before[0][i] } }
        },
        // MARK: Memory of earlier calls
        CommonFault(name: "the previous call's output") { call, _, memory, run in
            run()
            let values = call.values
            let previous = memory.calls.withLock { calls in
                defer { calls[[]] = values }
                return calls[[]]
            }
            if let previous { call.set(previous) }
        },
        CommonFault(name: "the first output for each shape") { call, _, memory, run in
            run()
            let values = call.values
            call.set(
                memory.calls.withLock { calls in
                    let first = calls[call.sizes] ?? values
                    calls[call.sizes] = first
                    return first
                })
        },
        // MARK: Wrong values
        CommonFault(name: "scaled by 1.01") { call, _, _, run in scale(call, by: 1.01, run) },
        CommonFault(name: "scaled by 1.07") { call, _, _, run in scale(call, by: 1.07, run) },
        CommonFault(name: "the wrong sign") { call, _, _, run in scale(call, by: -1, run) },
        CommonFault(name: "one element in 1000 off by 70 %") { call, _, _, run in
            let before = call.values
            run()
            call.change { view, argument in
                // The element at the place of the largest, so that there is something to be off by.
                let added = (0..<view.count).map { i in
                    argument.coverage.contains(i, shape: argument.shape)
                        ? abs(view[i] - (argument.role == .accumulator ? before[0][i] : 0)) : -1
                }
                let count = (view.count + 999) / 1000
                for i in added.indices.sorted(by: { added[$0] > added[$1] }).prefix(count) { view[i] *= 1.7 }
            }
        },
        CommonFault(name: "NaN in the last element") { call, _, _, run in
            run()
            call.change { view, _ in view[view.count - 1] = .nan }
        },
        CommonFault(name: "infinity in the first element") { call, _, _, run in
            run()
            call.change { view, _ in view[0] = view[0] == .infinity ? -.infinity : .infinity }
        },
        CommonFault(name: "NaN everywhere") { call, _, _, run in
            run()
            call.set(call.values.map { $0.map { _ in .nan } })
        },
        CommonFault(name: "shifted by one") { call, _, _, run in
            run()
            call.change { view, _ in
                let values = Array(view.buffer)
                for i in values.indices { view[i] = values[(i + values.count - 1) % values.count] }
            }
        },
        CommonFault(name: "the first row in place of the last", canHappen: { $0.results[0].argument.shape.count > 1 }) {
            call, _, _, run in
            run()
            call.change { view, argument in
                let columns = argument.shape[argument.shape.count - 1]
                for i in 0..<columns { view[view.count - columns + i] = view[i] }
            }
        },
        CommonFault(name: "rounded to bfloat16") { call, _, _, run in
            run()
            call.set(call.values.map { $0.map(bfloat16) })
        },
        // MARK: Accumulation
        CommonFault(name: "= for +=", canHappen: \.hasAccumulator) { call, _, _, run in
            for result in call.results where result.argument.role == .accumulator { result.view.fill(0) }
            run()
        },
        CommonFault(name: "added twice", canHappen: \.addsToSome) { call, _, _, run in
            run()
            run()
        },
        // MARK: Memory out of bounds
        CommonFault(name: "a write past the end") { call, _, _, run in
            run()
            call.change { view, _ in view.base[view.count] = 0 }
        },
        CommonFault(name: "a write before the start") { call, _, _, run in
            run()
            call.change { view, _ in view.base[-1] = 0 }
        },
        CommonFault(name: "a read past the end", canHappen: { !$0.inputs.isEmpty }) { call, _, memory, run in
            run()
            // Read, and used for nothing that shows.
            let stray = call.inputs[0].base[call.inputs[0].count]
            memory.calls.withLock { $0[[-1]] = [[stray]] }
        },
        CommonFault(name: "a read before the start", canHappen: { !$0.inputs.isEmpty }) { call, _, memory, run in
            run()
            let stray = call.inputs[0].base[-1]
            memory.calls.withLock { $0[[-1]] = [[stray]] }
        },
        CommonFault(name: "an input changed", canHappen: { !$0.inputs.isEmpty }) { call, _, _, run in
            run()
            UnsafeMutablePointer(mutating: call.inputs[0].base)[0] += 1
        },
        // MARK: Threads and chance
        CommonFault(name: "other bits on every run") { call, _, memory, run in
            run()
            let isUp = memory.generator.withLock { Bool.random(using: &$0) }
            call.change { view, argument in
                let last = (0..<view.count).last { argument.coverage.contains($0, shape: argument.shape) } ?? 0
                view[last] = isUp ? view[last].nextUp : view[last].nextDown
            }
        },
        CommonFault(name: "other bits on three threads") { call, workers, _, run in
            run()
            if workers.count == 3 { call.change { view, _ in view[0] = view[0].nextUp } }
        },
        CommonFault(name: "two threads, one accumulator") { call, workers, _, run in
            let before = call.values
            run()
            guard workers.count > 1 else { return }
            call.change { view, argument in
                func start(_ i: Int) -> Float { argument.role == .accumulator ? before[0][i] : 0 }
                let i =
                    (0..<view.count).filter { argument.coverage.contains($0, shape: argument.shape) }
                    .max { abs(view[$0] - start($0)) < abs(view[$1] - start($1)) } ?? 0
                let half = (view[i] - start(i)) / 2
                view[i] = start(i)
                // Each thread reads, and writes when the other may have written: an update is lost.
                workers.forEach(2) { _ in
                    let read = view[i]
                    usleep(200)
                    view[i] = read + half
                }
            }
        },
        // MARK: The floating-point environment
        CommonFault(name: "subnormals flushed from then on") { _, _, _, run in
            run()
            FloatingPointEnvironment.flushSubnormals()
        },
        CommonFault(name: "rounding toward zero from then on") { _, _, _, run in
            run()
            FloatingPointEnvironment.roundTowardZero()
        },
        CommonFault(name: "the environment changed on another thread") { _, workers, _, run in
            run()
            let caller = pthread_self()
            workers.onEachThread { if pthread_self() != caller { FloatingPointEnvironment.flushSubnormals() } }
        },
    ]

    /// What is computed, or added, is scaled.
    private static func scale(_ call: CallArguments, by factor: Float, _ run: () -> Void) {
        let before = call.values
        run()
        let after = call.values
        call.set(
            call.results.indices.map { index in
                let isAdded = call.results[index].argument.role == .accumulator
                return after[index].indices.map { i in
                    let start = isAdded ? before[index][i] : 0
                    return start + factor * (after[index][i] - start)
                }
            })
    }
}
