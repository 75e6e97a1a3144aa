import Accuracy
import KernelCatalog
import Kernels
import Synchronization
import Tensors

extension SizedFault {
    /// The faults that `kernel` can have at sizes and values that no fixture has.
    static func all<K: Kernel<Float>>(of kernel: K.Type) -> [SizedFault] {
        let signature = K().signature
        return lost(signature) + counted(signature) + shared + swapped(signature) + summed(signature)
            + indexed(signature) + special(signature)
    }

    // MARK: - Positions along a size

    /// The sizes that computed results have.
    private static func sizes(_ signature: Signature) -> [String] {
        signature.sizes.map(\.name).filter { name in
            signature.results.contains { $0.roundings > 0 && $0.stride(along: name) != nil }
        }
    }

    /// Whether an element is the last along a size.
    private static func isLast(_ argument: Argument, _ index: Int, along size: String) -> Bool {
        argument.stride(along: size).map { index / $0.stride % $0.extent == $0.extent - 1 } ?? false
    }

    /// The last position along each size: from a power of two on, and behind one.
    private static func lost(_ signature: Signature) -> [SizedFault] {
        sizes(signature).enumerated().flatMap { number, size in
            let (most, block) = (1 << (7 + number % 4), 1 << (4 + (number + 1) % 3))
            return [
                SizedFault(name: "the last \(size) lost from \(size) = \(most) on") {
                    $0[size, default: 0] >= most
                } body: { call in
                    call.run { isLast($0, $1, along: size) }
                },
                SizedFault(name: "the last \(size) lost where \(size) mod \(block) is 1") {
                    $0[size, default: 0] > 2 * block && $0[size, default: 0] % block == 1
                } body: { call in
                    call.run { isLast($0, $1, along: size) }
                },
            ]
        }
    }

    // MARK: - Numbers of elements

    /// Faults of counters, and of memory that is made once.
    private static func counted(_ signature: Signature) -> [SizedFault] {
        let most = [4_096, 16_384, 65_536, 100_000]
        let limit = most[signature.arguments.count % most.count]
        return [
            SizedFault(name: "elements after \(limit) not computed") { $0.run { $1 >= limit } },
            SizedFault(name: "an index of 16 bits") { call in wrap(call, 1 << 16) },
            SizedFault(name: "an index of 16 bits, one of them the sign's") { call in wrap(call, 1 << 15) },
            SizedFault(name: "scratch of the size of the first call") { call in
                let count = call.results.reduce(0) { $0 + $1.count }
                let first = call.memory.calls.withLock { calls in
                    let first = calls[[]]?[0][0] ?? Float(count)
                    calls[[]] = [[first]]
                    return Int(first)
                }
                call.run { $1 >= first }
            },
        ]
    }

    /// Makes the call, and writes what lies behind so many elements over those before.
    private static func wrap(_ call: FaultyCall, _ count: Int) {
        let before = call.results.map { Array($0.view.buffer) }
        call.run()
        for (result, before) in zip(call.results, before) where result.argument.roundings > 0 {
            for i in before.indices.dropFirst(count) {
                result.view[i % count] = result.view[i]
                result.view[i] = before[i]
            }
        }
    }

    // MARK: - Threads

    /// Faults of so many threads.
    private static let shared: [SizedFault] =
        [4, 8, 16].map { threads in
            SizedFault(name: "other bits on \(threads) threads") { call in
                call.run()
                guard call.workers.count == threads else { return }
                let view = call.results[0].view
                view[0] = view[0].nextUp
            }
        } + [
            SizedFault(name: "what is left of equal shares for four threads lost") { call in
                let threads = call.workers.count
                call.run { argument, index in
                    threads >= 4 && argument.count > 64 && index >= argument.count / threads * threads
                }
            }
        ]

    // MARK: - Batches, sequences and heads

    private static func swapped(_ signature: Signature) -> [SizedFault] {
        let sizes = sizes(signature)
        var faults: [SizedFault] = []
        func add(_ name: String, _ size: String, from: Int, taking: @escaping @Sendable (_ position: Int) -> Int) {
            guard sizes.contains(size) else { return }
            faults.append(
                SizedFault(name: name) {
                    $0[size, default: 0] >= from
                } body: { call in
                    call.run()
                    for result in call.results where result.argument.roundings > 0 {
                        guard let (stride, _) = result.argument.stride(along: size) else { continue }
                        for i in 0..<result.count {
                            let position = i / stride % call.sizes[size, default: 1]
                            let other = taking(position)
                            if other != position { result.view[i] = result.view[i - (position - other) * stride] }
                        }
                    }
                })
        }
        add("the ninth of a batch is the first", "B", from: 9) { $0 == 8 ? 0 : $0 }
        add("batch entries beyond 16 are the sixteenth", "B", from: 17) { min($0, 15) }
        add("row 1 022 is that before", "T", from: 1023) { $0 == 1022 ? 1021 : $0 }
        add("head 11 of 12 is head 0", "NH", from: 12) { $0 == 11 ? 0 : $0 }
        add("heads beyond 24 are the first", "NH", from: 25) { $0 >= 24 ? 0 : $0 }
        add("column 50 256 is column 0", "Vp", from: 50_257) { $0 == 50_256 ? 0 : $0 }
        add("column 50 256 is that before", "OC", from: 50_257) { $0 == 50_256 ? 50_255 : $0 }
        if sizes.contains("B"), sizes.contains("T") {
            faults.append(
                SizedFault(name: "strides of batch and sequence mixed up") {
                    $0["B", default: 0] > 1 && $0["T", default: 0] > 16
                } body: { call in
                    let (B, T) = (call.sizes["B", default: 1], call.sizes["T", default: 1])
                    call.run()
                    for result in call.results where result.argument.roundings > 0 {
                        guard result.argument.axes.prefix(2).map(\.name) == ["B", "T"] else { continue }
                        let (values, row) = (Array(result.view.buffer), result.count / (B * T))
                        for i in values.indices {
                            let (b, t) = (i / row / T, i / row % T)
                            result.view[i] = values[(t * B + b) * row + i % row]
                        }
                    }
                })
        }
        return faults
    }

    // MARK: - Sums

    /// The sizes that a result sums over: those of numbers read along which it cannot be computed position by position.
    private static func summedSizes(_ signature: Signature) -> [String] {
        // What is looked up by a token is no sum.
        let isLookup = signature.arguments.contains { if case .tokens = $0.elements { true } else { false } }
        guard !isLookup else { return [] }
        return signature.sizes.map(\.name).filter { size in
            signature.results.contains { $0.roundings > 0 && !$0.independent.contains(size) }
                && signature.inputs.contains { $0.stride(along: size) != nil }
        }
    }

    private static func summed(_ signature: Signature) -> [SizedFault] {
        func zero(
            _ size: String, _ name: String, from: Int,
            _ isLost: @escaping @Sendable (_ position: Int, _ extent: Int) -> Bool,
            at isActive: @escaping @Sendable (_ extent: Int) -> Bool = { _ in true }
        ) -> SizedFault {
            SizedFault(name: name) {
                $0[size, default: 0] >= from && isActive($0[size, default: 0])
            } body: { call in
                call.run(reading: { argument in
                    guard let (stride, extent) = argument.stride(along: size) else { return nil }
                    return { index, x in isLost(index / stride % extent, extent) ? 0 : x }
                })
            }
        }
        return summedSizes(signature).flatMap { size in
            [
                zero(size, "only the first 512 terms of sums over \(size)", from: 513) { position, _ in position >= 512
                },
                zero(size, "the last of a sum over \(size) lost from 768 on", from: 768) { $0 == $1 - 1 },
                zero(size, "the last of a sum over \(size) lost where \(size) mod 64 is 1", from: 65) {
                    $0 == $1 - 1
                } at: {
                    $0 % 64 == 1
                },
            ]
        }
    }

    // MARK: - Tokens

    private static func indexed(_ signature: Signature) -> [SizedFault] {
        let hasTokens = signature.arguments.contains { if case .tokens = $0.elements { true } else { false } }
        guard hasTokens else { return [] }
        // Where the vocabulary is no size of its own, its padded size is.
        let size = signature.sizes.contains { $0.name == "V" } ? "V" : "Vp"
        return [8, 10, 15].map { bits in
            SizedFault(name: "a token in \(bits) bits") {
                $0[size, default: 0] > 1 << bits
            } body: { call in
                call.run(reading: { _ in nil }, tokens: { $0 & (1 << Int32(bits) - 1) })
            }
        }
    }

    // MARK: - Products

    private static func special(_ signature: Signature) -> [SizedFault] {
        guard signature.sizes.contains(where: \.isLinear) else { return [] }
        let precisions = [("TensorFloat-32", tensorFloat32), ("bfloat16", bfloat16)]
        let rounded = precisions.flatMap { name, round in
            [64, 768, 3072].map { depth in
                SizedFault(name: "inputs rounded to \(name) at C = \(depth as Int)") {
                    $0["C"] == depth
                } body: { call in
                    call.run(reading: { _ in { round($1) } })
                }
            }
        }
        let tiles = [Float(1e-2), 1e-4, 1e-5].map { error in
            SizedFault(name: "a tile of 12 x 32 of a large product off by \(error)") {
                $0["C", default: 0] * $0["OC", default: 0] >= 768 * 768
            } body: { call in
                call.run()
                let result = call.results[0]
                let columns = result.argument.shape.last ?? 1
                guard columns >= 32, result.count / columns >= 12 else { return }
                // The same place however many threads there are.
                var generator = SplitMix64(state: UInt64(result.count))
                let row = Int.random(in: 0...result.count / columns - 12, using: &generator)
                let column = Int.random(in: 0...columns - 32, using: &generator)
                for r in row..<row + 12 {
                    for c in column..<column + 32 { result.view[r * columns + c] *= 1 + error }
                }
            }
        }
        return rounded + tiles
    }
}
