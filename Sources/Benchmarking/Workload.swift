import Foundation
import Kernels
import Tensors

/// A kernel call to time: its sizes, and inputs that are drawn at random with a fixed seed.
struct Workload {
    /// The place in the model, such as `fch`.
    let shape: String
    /// The kernel.
    let kernel: any Kernel<Float>.Type
    /// The sizes, by name.
    let sizes: KeyValuePairs<String, Int>

    /// The calls of one block of a GPT-2 of 124M parameters and of what surrounds the blocks, on B sequences of T tokens.
    static func gpt2(B: Int, T: Int) -> [Workload] {
        let (C, NH, V, Vp) = (768, 12, 50257, 50304)
        let N = B * T * 4 * C
        var workloads: [Workload] = []
        func add(_ shape: String, _ kernels: any Kernel<Float>.Type..., sizes: KeyValuePairs<String, Int>) {
            workloads += kernels.map { Workload(shape: shape, kernel: $0, sizes: sizes) }
        }
        add(
            "embed", Encoder.Forward<Float>.self, Encoder.Backward<Float>.self,
            sizes: ["B": B, "T": T, "C": C, "V": V, "P": 1024])
        add("norm", LayerNorm.Forward<Float>.self, LayerNorm.Backward<Float>.self, sizes: ["B": B, "T": T, "C": C])
        for (shape, C, OC) in [("qkv", C, 3 * C), ("attproj", C, C), ("fch", C, 4 * C), ("fcproj", 4 * C, C)] {
            add(
                shape, Matmul.Forward<Float>.self, Matmul.Backward<Float>.self,
                sizes: ["B": B, "T": T, "C": C, "OC": OC])
        }
        add(
            "heads", Attention.Forward<Float>.self, Attention.Backward<Float>.self,
            sizes: ["B": B, "T": T, "C": C, "NH": NH])
        add("hidden", GELU.Forward<Float>.self, GELU.Backward<Float>.self, sizes: ["N": N])
        add("stream", Residual.Forward<Float>.self, Residual.Backward<Float>.self, sizes: ["N": B * T * C])
        add("vocab", Softmax.Forward<Float>.self, sizes: ["B": B, "T": T, "V": V, "Vp": Vp])
        add("vocab", CrossEntropy.Forward<Float>.self, sizes: ["B": B, "T": T, "Vp": Vp])
        add("vocab", CrossEntropySoftmax.Backward<Float>.self, sizes: ["B": B, "T": T, "V": V, "Vp": Vp])
        add("weight", AdamW.Update<Float>.self, sizes: ["N": 4 * C * C, "t": 10])
        return workloads
    }

    /// The sizes in words, such as `B 1, T 64, C 768`.
    var sizesText: String { sizes.map { "\($0.key) \($0.value)" }.joined(separator: ", ") }
}

/// A call with its memory.
final class PreparedCall<K: Kernel> where K.Scalar == Float {
    private(set) var call = K()
    private var filler: Filler

    init(_ sizes: KeyValuePairs<String, Int>) {
        filler = Filler(sizes: Dictionary(sizes.map { ($0.key, $0.value) }) { first, _ in first })
        call.visit(&filler)
    }

    /// The results' elements, in the order of the contract.
    var results: [MutableView<Float>] { filler.results }
}

/// Fills a call's arguments in: probabilities where the contract has them, small normal numbers elsewhere.
private struct Filler: ArgumentVisitor {
    let sizes: [String: Int]
    private(set) var results: [MutableView<Float>] = []
    private var memory: [Memory] = []
    private var generator = SplitMix64(state: 42)

    private final class Memory {
        let floats: Tensor<Float>
        let tokens: Tensor<Int32>

        init(floats: Int, tokens: Int) {
            self.floats = Tensor(repeating: 0, count: floats)
            self.tokens = Tensor(repeating: 0, count: tokens)
        }
    }

    init(sizes: [String: Int]) { self.sizes = sizes }

    mutating func size(_ name: String, _ value: inout Int) { value = sizes[name] ?? 1 }
    mutating func require(_ holds: Bool, _ rule: String) { precondition(holds, rule) }
    mutating func hyperparameter(_ name: String, _ value: inout Float) {}

    mutating func input(_ argument: Argument, _ view: inout View<Float>) {
        let target = allocate(argument.count)
        let isProbability = ["att", "probs", "rstd"].contains(argument.name)
        for i in 0..<target.count { target[i] = isProbability ? generator.uniform() : generator.uniform() - 0.5 }
        view = View(target)
    }

    mutating func tokens(_ argument: Argument, below bound: Int, _ view: inout View<Int32>) {
        let memory = Memory(floats: 0, tokens: argument.count)
        self.memory.append(memory)
        for i in 0..<argument.count {
            memory.tokens.view[i] = Int32.random(in: 0..<Int32(bound), using: &generator)
        }
        view = View(memory.tokens.view)
    }

    mutating func result(_ argument: Argument, _ view: inout MutableView<Float>) {
        view = allocate(argument.count)
        results.append(view)
    }

    private mutating func allocate(_ count: Int) -> MutableView<Float> {
        let memory = Memory(floats: count, tokens: 0)
        self.memory.append(memory)
        return memory.floats.view
    }
}
