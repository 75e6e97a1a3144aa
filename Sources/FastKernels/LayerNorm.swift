import Kernels
import Tensors

extension FastKernels {
    /// ``LayerNorm/Forward``: the mean, then the variance about it, then the norm, while the row is in the cache.
    @Sendable public static func layernormForward(_ a: LayerNorm.Forward<Float>, _ workers: Workers) {
        workers.forEachRow(a.B * a.T, of: a.C) { row in
            let (inp, out) = (a.inp.base + row * a.C, a.out.base + row * a.C)
            let mean = sum(a.C) { (inp + $0).load($1) } / Float(a.C)
            let center = Vector(repeating: mean)
            let variance =
                sum(a.C) {
                    let deviation = (inp + $0).load($1, rest: mean) - center
                    return deviation * deviation
                } / Float(a.C)
            let rstd = 1 / (variance + Float(LayerNorm.eps)).squareRoot()
            forEachVector(0..<a.C) { i, count in
                let norm = ((inp + i).load(count) - center) * Vector(repeating: rstd)
                (out + i).store((a.bias.base + i).load(count).plus(norm, times: (a.weight.base + i).load(count)), count)
            }
            a.mean[row] = mean
            a.rstd[row] = rstd
        }
    }

    /// ``LayerNorm/Backward``: dinp by rows, then dweight and dbias by columns.
    @Sendable public static func layernormBackward(_ a: LayerNorm.Backward<Float>, _ workers: Workers) {
        /// (inp − mean) · rstd of a row, from column `i` on.
        @inline(__always) @Sendable
        func norm(_ row: Int, _ i: Int, _ count: Int) -> Vector {
            ((a.inp.base + row * a.C + i).load(count) - Vector(repeating: a.mean[row])) * Vector(repeating: a.rstd[row])
        }
        let overwrites = a.overwrites.contains(.activations)
        workers.forEachRow(a.B * a.T, of: a.C) { row in
            let (dout, dinp) = (a.dout.base + row * a.C, a.dinp.base + row * a.C)
            @inline(__always)
            func g(_ i: Int, _ count: Int) -> Vector { (a.weight.base + i).load(count) * (dout + i).load(count) }
            let gSums: InlineArray<2, Float> = sums(a.C) { i, count in
                let g = g(i, count)
                return [g, g * norm(row, i, count)]
            }
            let gMean = Vector(repeating: gSums[0] / Float(a.C))
            let gNormMean = Vector(repeating: gSums[1] / Float(a.C))
            let rstd = Vector(repeating: a.rstd[row])
            forEachVector(0..<a.C) { i, count in
                let gradient = (g(i, count) - gMean).plus(norm(row, i, count), times: -gNormMean)
                let target = dinp + i
                target.store(overwrites ? rstd * gradient : target.load(count).plus(rstd, times: gradient), count)
            }
        }
        workers.sumRows(a.B * a.T, into: [a.dbias, a.dweight], overwrite: a.overwrites.contains(.parameters)) {
            sums, row, i, count in
            let dout = (a.dout.base + row * a.C + i).load(count)
            sums[0] += dout
            sums[1] = sums[1].plus(dout, times: norm(row, i, count))
        }
    }
}
