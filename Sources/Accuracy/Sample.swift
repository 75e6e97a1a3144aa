import Kernels
import Tensors

/// A part of a kernel call that can be computed alone: a call of smaller sizes whose arguments are gathered from the
/// whole one's.
///
/// The truth of a large call would take longer than all its timings. A part holds the first and last rows and columns,
/// where blocks and tiles end, and others at random.
package struct Sample {
    /// The sizes of the smaller call.
    var sizes: [String: Int]
    /// Where the elements of an argument lie in the whole argument; those not named are whole.
    var indices: [String: (Int) -> Int] = [:]
    /// The results that are right in the smaller call; all if empty.
    var results: Set<String> = []
    /// The tokens of the whole call and what they are called in the smaller one, with the whole call's bound.
    var tokens: [Int32: Int32] = [:]
    var vocabulary: Int?

    /// The multiplications or elements above which a call is sampled.
    private static let limit = 8_000_000

    /// The parts that stand for a task; the whole where it is small.
    static func of(_ task: KernelTask) -> [Sample] {
        let sizes = task.sizes
        func size(_ name: String) -> Int { sizes[name] ?? 1 }
        let rows = size("B") * size("T")
        switch task.kernel {
        case "matmul forward", "matmul backward":
            guard rows * size("C") * size("OC") > limit else { break }
            return task.kernel == "matmul forward" ? [matmulForward(task)] : matmulBackward(task)
        case "encoder forward", "encoder backward":
            guard size("V") * size("C") > limit / 4 else { break }
            return [encoder(task)]
        case "attention forward", "attention backward", "flash_attention forward", "flash_attention backward":
            guard rows * size("T") * size("C") > 2 * limit else { break }
            return [attention(task)]
        case "softmax forward", "crossentropy forward", "crossentropy_softmax backward", "classifier forward",
            "classifier backward":
            guard rows * size("Vp") > limit / 8 else { break }
            return [vocabulary(task)]
        default:
            let limit = limit / 16
            guard size("N") > limit else { break }
            // The first half of the part is the start, the other half the end.
            let index = { (i: Int) in i < limit / 2 ? i : size("N") - limit + i }
            let names = ["out", "inp", "inp1", "inp2", "dinp", "dinp1", "dinp2", "dout", "params", "m", "v", "grads"]
            return [
                Sample(
                    sizes: sizes.merging(["N": limit]) { $1 },
                    indices: Dictionary(uniqueKeysWithValues: names.map { ($0, index) }))
            ]
        }
        return [Sample(sizes: sizes)]
    }

    /// Up to `count` of `0..<total`, in order: the first and last ones, and others at random.
    private static func pick(_ count: Int, of total: Int) -> [Int] {
        guard total > count else { return Array(0..<total) }
        let ends = count / 3
        var picked = Set(0..<ends).union(total - ends..<total)
        var generator = SplitMix64(state: UInt64(total))
        while picked.count < count { picked.insert(Int.random(in: 0..<total, using: &generator)) }
        return picked.sorted()
    }

    private static func matmulForward(_ task: KernelTask) -> Sample {
        let (C, OC) = (task.sizes["C"] ?? 1, task.sizes["OC"] ?? 1)
        let rows = pick(64, of: (task.sizes["B"] ?? 1) * (task.sizes["T"] ?? 1))
        let columns = pick(max(limit / (rows.count * C), 64), of: OC)
        return Sample(
            sizes: ["B": 1, "T": rows.count, "C": C, "OC": columns.count],
            indices: [
                "inp": { rows[$0 / C] * C + $0 % C }, "weight": { columns[$0 / C] * C + $0 % C },
                "bias": { columns[$0] }, "out": { rows[$0 / columns.count] * OC + columns[$0 % columns.count] },
            ])
    }

    private static func matmulBackward(_ task: KernelTask) -> [Sample] {
        let (C, OC) = (task.sizes["C"] ?? 1, task.sizes["OC"] ?? 1)
        let total = (task.sizes["B"] ?? 1) * (task.sizes["T"] ?? 1)
        func block(_ rows: [Int], _ outputs: [Int], _ columns: [Int], results: Set<String>) -> Sample {
            let across = { (i: Int) in rows[i / columns.count] * C + columns[i % columns.count] }
            let down = { (i: Int) in outputs[i / columns.count] * C + columns[i % columns.count] }
            return Sample(
                sizes: ["B": 1, "T": rows.count, "C": columns.count, "OC": outputs.count],
                indices: [
                    "dout": { rows[$0 / outputs.count] * OC + outputs[$0 % outputs.count] }, "inp": across,
                    "dinp": across, "weight": down, "dweight": down, "dbias": { outputs[$0] },
                ], results: results)
        }
        let rows = pick(64, of: total)
        let outputs = pick(96, of: OC)
        return [
            block(rows, Array(0..<OC), pick(max(limit / (rows.count * OC), 48), of: C), results: ["dinp"]),
            block(
                Array(0..<total), outputs, pick(max(limit / (outputs.count * total), 48), of: C),
                results: ["dweight", "dbias"]),
        ]
    }

    /// The rows of the vocabulary that tokens meet, and some that they do not.
    private static func encoder(_ task: KernelTask) -> Sample {
        let (C, V) = (task.sizes["C"] ?? 1, task.sizes["V"] ?? 1)
        let count = (task.sizes["B"] ?? 1) * (task.sizes["T"] ?? 1)
        let draw = Draw.tokens("inp", seed: task.seed)
        let met = Set((0..<count).map { Int(draw.token($0, below: V)) })
        let rows = met.union(pick(64, of: V)).sorted()
        let index = { (i: Int) in rows[i / C] * C + i % C }
        return Sample(
            sizes: task.sizes.merging(["V": rows.count]) { $1 }, indices: ["wte": index, "dwte": index],
            tokens: Dictionary(uniqueKeysWithValues: rows.enumerated().map { (Int32($1), Int32($0)) }), vocabulary: V)
    }

    /// Some heads; each is computed alone.
    private static func attention(_ task: KernelTask) -> Sample {
        let (T, C, NH) = (task.sizes["T"] ?? 1, task.sizes["C"] ?? 1, task.sizes["NH"] ?? 1)
        let hs = C / NH
        let heads = pick(3, of: NH)
        let width = heads.count * hs
        let vectors = { (parts: Int) in
            { (i: Int) in
                let (row, part, h, c) = (i / (parts * width), i / width % parts, i / hs % heads.count, i % hs)
                return (row * parts + part) * C + heads[h] * hs + c
            }
        }
        let square = { (i: Int) in
            let (b, h) = (i / (heads.count * T * T), i / (T * T) % heads.count)
            return (b * NH + heads[h]) * T * T + i % (T * T)
        }
        return Sample(
            sizes: task.sizes.merging(["C": width, "NH": heads.count]) { $1 },
            indices: [
                "inp": vectors(3), "dinp": vectors(3), "out": vectors(1), "dout": vectors(1), "preatt": square,
                "att": square, "dpreatt": square, "datt": square,
                "lse": { i in (i / (heads.count * T) * NH + heads[i / T % heads.count]) * T + i % T },
            ])
    }

    /// Some rows of the vocabulary's operations.
    private static func vocabulary(_ task: KernelTask) -> Sample {
        let Vp = task.sizes["Vp"] ?? 1
        let rows = pick(max(limit / 8 / Vp, 24), of: (task.sizes["B"] ?? 1) * (task.sizes["T"] ?? 1))
        let wide = { (i: Int) in rows[i / Vp] * Vp + i % Vp }
        let narrow = { (i: Int) in rows[i] }
        return Sample(
            sizes: task.sizes.merging(["B": 1, "T": rows.count]) { $1 },
            indices: [
                "logits": wide, "probs": wide, "dlogits": wide, "losses": narrow, "dlosses": narrow, "targets": narrow,
                "lse": narrow,
            ])
    }
}
