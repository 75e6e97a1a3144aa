import Foundation
import Kernels
import Tensors

extension FastKernels {
    /// ``Classifier/Forward``, row by row; the loss is a difference in double.
    @Sendable public static func classifierForward(_ a: Classifier.Forward<Float>, _ workers: Workers) {
        workers.forEachRow(a.B * a.T, of: a.V) { row in
            let logits = a.logits.base + row * a.Vp
            let (maximum, sum) = exponentials(of: logits, a.V, into: nil)
            let lse = Double(maximum) + log(sum)
            a.losses[row] = Float(lse - Double(logits[Int(a.targets[row])]))
            a.lse[row] = Float(lse)
        }
    }

    /// ``Classifier/Backward``, row by row.
    @Sendable public static func classifierBackward(_ a: Classifier.Backward<Float>, _ workers: Workers) {
        workers.forEachRow(a.B * a.T, of: a.V) { row in
            let (logits, dlogits) = (a.logits.base + row * a.Vp, a.dlogits.base + row * a.Vp)
            let (lse, dloss) = (Vector(repeating: a.lse[row]), Vector(repeating: a.dlosses[row]))
            let target = Int(a.targets[row])
            // The logit may lie where its gradient goes: it is read first.
            let atTarget = (exp(Vector(repeating: logits[target]) - lse)[0] - 1) * a.dlosses[row]
            forEachVector(0..<a.V) { i, count in
                (dlogits + i).store(exp((logits + i).load(count) - lse) * dloss, count)
            }
            dlogits[target] = atTarget
            (dlogits + a.V).update(repeating: 0, count: a.Vp - a.V)
        }
    }
}
