import Kernels
import Tensors

extension WiringFault {
    /// Every wiring fault, listed once.
    public static let all: [WiringFault] = embedding + norms + linear + attention + perceptron + head + training

    private static let embedding: [WiringFault] = [
        WiringFault("positions offset by one", Encoder.Forward<Float>.self) { call, _, _ in
            call.wpe = View(call.wpe.base + call.C, count: call.wpe.count - call.C)
            call.P -= 1
            return true
        },
        WiringFault("batch and sequence swapped in the embedding", Encoder.Forward<Float>.self) { call, _, _ in
            (call.B, call.T) = (call.T, call.B)
            return true
        },
        WiringFault("the gradient of positions offset by one", Encoder.Backward<Float>.self) { call, _, _ in
            call.dwpe = MutableView(call.dwpe.base + call.C, count: call.dwpe.count - call.C)
            call.P -= 1
            return true
        },
        WiringFault("the tied embedding's gradient without the encoder's part", Encoder.Backward<Float>.self) {
            call, _, memory in
            call.dwte = memory.scratch(call.dwte.count)
            return true
        },
        WiringFault("the embedding's gradient added twice", Encoder.Backward<Float>.self) { call, _, memory in
            call.dout = memory.copy(call.dout) { 2 * $1 }
            return true
        },
    ]

    private static let norms: [WiringFault] = [
        WiringFault("the second norm of a block with the first's parameters", LayerNorm.Forward<Float>.self) {
            call, number, memory in
            if number == 1 { (call.weight, call.bias) = (memory.calls[0].weight, memory.calls[0].bias) }
            return true
        },
        WiringFault("the second norm of a block of the first's input", LayerNorm.Forward<Float>.self) {
            call, number, memory in
            if number == 1 { call.inp = memory.calls[0].inp }
            return true
        },
        WiringFault("no last norm", LayerNorm.Forward<Float>.self) { call, number, _ in
            guard number == 4 else { return true }
            _ = call.out.buffer.update(fromContentsOf: call.inp.buffer)
            return false
        },
        WiringFault("a norm's gradient that is lost", LayerNorm.Backward<Float>.self) { call, number, memory in
            if number == 2 { call.dinp = memory.scratch(call.dinp.count) }
            return true
        },
        WiringFault("a norm's gradient by another block's statistics", LayerNorm.Backward<Float>.self) {
            call, number, memory in
            if number == 3 { (call.mean, call.rstd) = (memory.calls[1].mean, memory.calls[1].rstd) }
            return true
        },
        WiringFault("the gradients of weight and bias swapped", LayerNorm.Backward<Float>.self) { call, number, _ in
            if number == 0 { (call.dweight, call.dbias) = (call.dbias, call.dweight) }
            return true
        },
    ]

    private static let linear: [WiringFault] = [
        WiringFault("the second block with the first's weights", Matmul.Forward<Float>.self) { call, number, memory in
            if number == 4 { call.weight = memory.calls[0].weight }
            return true
        },
        WiringFault("a layer without its bias", Matmul.Forward<Float>.self) { call, number, _ in
            if number == 1 { call.bias = nil }
            return true
        },
        WiringFault("a projection of another block's activations", Matmul.Forward<Float>.self) { call, number, memory in
            if number == 5 { call.inp = memory.calls[1].inp }
            return true
        },
        WiringFault("a bias whose gradient is lost", Matmul.Backward<Float>.self) { call, number, _ in
            if number == 2 { call.dbias = nil }
            return true
        },
        WiringFault("a weight whose gradient is lost", Matmul.Backward<Float>.self) { call, number, memory in
            if number == 3 { call.dweight = memory.scratch(call.dweight.count) }
            return true
        },
        WiringFault("a gradient of another block's weight", Matmul.Backward<Float>.self) { call, number, memory in
            if number == 5 { call.weight = memory.calls[1].weight }
            return true
        },
        WiringFault("a gradient that does not flow on", Matmul.Backward<Float>.self) { call, number, memory in
            if number == 6 { call.dinp = memory.scratch(call.dinp.count) }
            return true
        },
    ]

    private static let attention: [WiringFault] = [
        WiringFault("one head in place of three", Attention.Forward<Float>.self) { call, _, memory in
            call.NH = 1
            call.preatt = memory.scratch(call.B * call.T * call.T, key: 0)
            call.att = memory.scratch(call.B * call.T * call.T, key: 1)
            return true
        },
        WiringFault("attention of the first block in the second", Attention.Forward<Float>.self) {
            call, number, memory in
            if number == 1 { call.inp = memory.calls[0].inp }
            return true
        },
        WiringFault("attention's gradient by another block's probabilities", Attention.Backward<Float>.self) {
            call, number, memory in
            if number == 1 { call.att = memory.calls[0].att }
            return true
        },
        WiringFault("a block without attention", Attention.Forward<Float>.self) { call, number, _ in
            if number == 1 { call.out.fill(0) }
            return number != 1
        },
    ]

    private static let perceptron: [WiringFault] = [
        WiringFault("no GELU", GELU.Forward<Float>.self) { call, number, _ in
            guard number == 0 else { return true }
            _ = call.out.buffer.update(fromContentsOf: call.inp.buffer)
            return false
        },
        WiringFault("GELU's gradient at another block's input", GELU.Backward<Float>.self) { call, number, memory in
            if number == 1 { call.inp = memory.calls[0].inp }
            return true
        },
        WiringFault("no GELU in the gradient", GELU.Backward<Float>.self) { call, number, _ in
            guard number == 0 else { return true }
            _ = call.dinp.buffer.update(fromContentsOf: call.dout.buffer)
            return false
        },
        WiringFault("a residual stream without the stream", Residual.Forward<Float>.self) { call, number, _ in
            if number == 1 { call.inp1 = call.inp2 }
            return true
        },
        WiringFault("a residual stream without the branch", Residual.Forward<Float>.self) { call, number, memory in
            if number == 2 { call.inp2 = View(memory.scratch(call.N)) }
            return true
        },
        WiringFault("the stream from before attention", Residual.Forward<Float>.self) { call, number, memory in
            if number == 1 { call.inp1 = memory.calls[0].inp1 }
            return true
        },
        WiringFault("a residual stream whose gradient ends", Residual.Backward<Float>.self) { call, number, memory in
            if number == 1 { call.dinp1 = memory.scratch(call.N) }
            return true
        },
        WiringFault("a branch that gets no gradient", Residual.Backward<Float>.self) { call, number, memory in
            if number == 2 { call.dinp2 = memory.scratch(call.N) }
            return true
        },
    ]

    private static let head: [WiringFault] = [
        WiringFault("a head that is not tied to the embedding", Matmul.Forward<Float>.self) { call, number, memory in
            if number == 8 { call.weight = memory.copy(call.weight) { i, x in i % 7 == 0 ? 0 : x } }
            return true
        },
        WiringFault("the tied embedding's gradient without the head's part", Matmul.Backward<Float>.self) {
            call, number, memory in
            if number == 0 { call.dweight = memory.scratch(call.dweight.count) }
            return true
        },
        WiringFault("the padding counted as vocabulary", Softmax.Forward<Float>.self) { call, _, _ in
            call.V = call.Vp
            return true
        },
        WiringFault("losses of the inputs, and not of the targets", CrossEntropy.Forward<Float>.self) {
            call, _, memory in
            if let encoder = memory.encoder { call.targets = encoder.inp }
            return true
        },
        WiringFault("gradients toward the inputs, and not the targets", CrossEntropySoftmax.Backward<Float>.self) {
            call, _, memory in
            if let encoder = memory.encoder { call.targets = encoder.inp }
            return true
        },
        WiringFault("the loss summed, and not averaged", CrossEntropySoftmax.Backward<Float>.self) { call, _, memory in
            let count = Float(call.B * call.T)
            call.dlosses = memory.copy(call.dlosses) { count * $1 }
            return true
        },
    ]

    private static let training: [WiringFault] = [
        WiringFault("steps counted from 2", AdamW.Update<Float>.self) { call, _, _ in
            call.t += 1
            return true
        },
        WiringFault("steps not counted", AdamW.Update<Float>.self) { call, _, _ in
            call.t = 1
            return true
        },
        WiringFault("decay of biases and norms too", AdamW.Update<Float>.self) { call, number, memory in
            call.hyperparameters.weightDecay = memory.calls[0].hyperparameters.weightDecay
            return true
        },
        WiringFault("no decay of embeddings", AdamW.Update<Float>.self) { call, number, _ in
            if number < 2 { call.hyperparameters.weightDecay = 0 }
            return true
        },
        WiringFault("a parameter that is not trained", AdamW.Update<Float>.self) { _, number, _ in number != 5 },
        WiringFault("the moments swapped", AdamW.Update<Float>.self) { call, _, _ in
            (call.m, call.v) = (call.v, call.m)
            return true
        },
        WiringFault("gradients that are kept from step to step", Matmul.Backward<Float>.self) { call, _, _ in
            call.overwrites.remove(.parameters)
            return true
        },
        WiringFault("a micro-batch that overwrites the one before", Matmul.Backward<Float>.self) { call, _, _ in
            call.overwrites.insert(.parameters)
            return true
        },
        WiringFault("norms' gradients of the last micro-batch alone", LayerNorm.Backward<Float>.self) { call, _, _ in
            call.overwrites.insert(.parameters)
            return true
        },
        WiringFault("each micro-batch at the whole batch's weight", Classifier.Backward<Float>.self) {
            call, _, memory in
            call.dlosses = memory.copy(call.dlosses) { 2 * $1 }
            return true
        },
        WiringFault("gradients of the step before", AdamW.Update<Float>.self) { call, number, memory in
            let earlier = memory.exchange(Array(call.grads.buffer), key: number)
            call.grads = memory.copy(call.grads) { i, x in earlier?[i] ?? x }
            return true
        },
        WiringFault("gradients averaged once too often over micro-batches", AdamW.Update<Float>.self) {
            call, _, memory in
            call.grads = memory.copy(call.grads) { 0.5 * $1 }
            return true
        },
        WiringFault("gradients clipped though nobody asked", AdamW.Update<Float>.self) { call, _, memory in
            call.grads = memory.copy(call.grads) { min(max($1, -0.01), 0.01) }
            return true
        },
    ]
}
