import Kernels
import Tensors

extension FastKernels {
    /// ``CrossEntropySoftmax/Backward``, row by row.
    @Sendable public static func crossentropySoftmaxBackward(
        _ a: CrossEntropySoftmax.Backward<Float>, _ workers: Workers
    ) {
        workers.forEachRow(a.B * a.T, of: a.Vp) { row in
            let (probs, dlogits) = (a.probs.base + row * a.Vp, a.dlogits.base + row * a.Vp)
            let (dloss, target) = (a.dlosses[row], Int(a.targets[row]))
            let atTarget = dlogits[target] + (probs[target] - 1) * dloss
            forEachVector(0..<a.V) { i, count in
                let sum = (dlogits + i).load(count).plus((probs + i).load(count), times: Vector(repeating: dloss))
                (dlogits + i).store(sum, count)
            }
            dlogits[target] = atTarget
        }
    }
}
