import Kernels
import Tensors

extension SizedFault {
    /// The faults that `kernel` can have at values that are rare.
    static func ofValues<K: Kernel<Float>>(_ kernel: K.Type) -> [SizedFault] {
        let signature = K().signature
        let readsNumbers = signature.inputs.contains { if case .numbers = $0.elements { true } else { false } }
        let addsToRows = signature.results.contains {
            $0.role == .accumulator && $0.roundings > 0 && $0.axes.count > 1
        }
        return (readsNumbers ? [notANumber] : []) + (readsNumbers && isPlain(kernel) ? [subnormal] : [])
            + (addsToRows ? [overwrittenRows] : [])
    }

    /// Whether what the kernel makes of a tiny number is as tiny, and no part of a larger sum.
    private static func isPlain<K: Kernel<Float>>(_ kernel: K.Type) -> Bool {
        let plain: [any Kernel<Float>.Type] = [
            Encoder.Forward<Float>.self, Residual.Forward<Float>.self, Residual.Backward<Float>.self,
            GELU.Forward<Float>.self, Matmul.Forward<Float>.self,
        ]
        return plain.contains { $0.name == kernel.name }
    }

    private static let subnormal = SizedFault(name: "subnormal inputs taken as 0") { call in
        call.run(reading: { _ in { $1.isSubnormal ? 0 : $1 } })
    }

    private static let notANumber = SizedFault(name: "NaN inputs taken as 0") { call in
        call.run(reading: { _ in { $1.isNaN ? 0 : $1 } })
    }

    /// What a kernel does that takes a row for cleared by its sum.
    private static let overwrittenRows = SizedFault(name: "= for += where a row sums to 0") { call in
        let before = call.results.map { Array($0.view.buffer) }
        call.run()
        for (result, before) in zip(call.results, before) where result.argument.role == .accumulator {
            let columns = result.argument.shape.last ?? 1
            for start in stride(from: 0, to: before.count, by: max(columns, 1)) {
                let row = start..<start + columns
                guard result.argument.roundings > 0, row.reduce(0, { $0 + before[$1] }) == 0 else { continue }
                for i in row { result.view[i] -= before[i] }
            }
        }
    }
}

extension SizedFault {
    /// Answers from memory, and kernels that do not stay right: those that any kernel can have.
    static let ofMemory = [
        SizedFault(name: "answers by the first 64 inputs", isOfCalls: false) { call in
            answer(call) { (0..<min($0, 64)).map(\.self) }
        },
        SizedFault(name: "answers by the first, the middle and the last input", isOfCalls: false) { call in
            answer(call) { [0, $0 / 2, $0 - 1] }
        },
        SizedFault(name: "every 1 000th call wrong", isOfCalls: false) { call in wear(call) { $0 % 1000 == 0 } },
        SizedFault(name: "wrong from the 2 000th call on", isOfCalls: false) { call in wear(call) { $0 >= 2000 } },
    ]

    /// Makes the call, or gives the answer to the last one where that was alike at those places of each argument.
    private static func answer(_ call: FaultyCall, at places: (_ count: Int) -> [Int]) {
        let seen: [[Float]] = call.arguments.filter { $0.argument.role != .output }.map { bound in
            places(bound.count).map { bound.view.count > 0 ? bound.view[$0] : Float(bound.tokens[$0]) }
        }
        let sizes = call.sizes.sorted { $0.key < $1.key }.map(\.value)
        let (keys, answers) = ([0] + sizes, [1] + sizes)
        let known = call.memory.calls.withLock { $0[keys] == seen ? $0[answers] : nil }
        if let known {
            for (result, known) in zip(call.results, known) { _ = result.view.buffer.update(fromContentsOf: known) }
        } else {
            call.run()
            let made = call.results.map { Array($0.view.buffer) }
            call.memory.calls.withLock { $0 = [keys: seen, answers: made] }
        }
    }

    /// Makes the call, wrongly where the number of calls says so.
    private static func wear(_ call: FaultyCall, isWrong: (_ number: Int) -> Bool) {
        call.run()
        let number = call.memory.calls.withLock { calls in
            let number = Int(calls[[]]?[0][0] ?? 0) + 1
            calls[[]] = [[Float(number)]]
            return number
        }
        if isWrong(number) { call.results[0].view[0] += 1 }
    }
}
