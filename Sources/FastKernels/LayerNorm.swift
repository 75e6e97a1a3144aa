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

    /// ``LayerNorm/Backward``: one pass over the rows, 16 a task, each with sums of its own for dweight and dbias; then
    /// these sums in turn.
    ///
    /// Which rows share a sum depends on the sizes alone. Rows are summed by fours, these by 16, and those in turn, which
    /// rounds less than one long chain.
    @Sendable public static func layernormBackward(_ a: LayerNorm.Backward<Float>, _ workers: Workers) {
        let (rows, group) = (a.B * a.T, 16)
        let groups = (rows + group - 1) / group
        Scratch.with(2 * groups * a.C) { memory in
            workers.forEachPart(groups, grain: max((1 << 13) / (group * a.C), 1)) { part in
                for index in part {
                    let sums = LayerNormSums(dbias: memory.base + 2 * index * a.C, count: a.C)
                    sums.dbias.update(repeating: 0, count: 2 * a.C)
                    var row = group * index
                    let end = min(row + group, rows)
                    while row + 4 <= end {
                        LayerNormRows<4>.backward(a, row, sums)
                        row += 4
                    }
                    while row < end {
                        LayerNormRows<1>.backward(a, row, sums)
                        row += 1
                    }
                }
            }
            let overwrites = a.overwrites.contains(.parameters)
            workers.forEachStrip(of: a.C, rows: groups) { columns in
                forEachVector(columns) { i, count in
                    let (dbias, dweight) = (a.dbias.base + i, a.dweight.base + i)
                    var sums = (Vector(repeating: 0), Vector(repeating: 0))
                    if !overwrites { sums = (dbias.load(count), dweight.load(count)) }
                    for index in 0..<groups {
                        let group = LayerNormSums(dbias: memory.base + 2 * index * a.C, count: a.C)
                        sums.0 += (group.dbias + i).load(count)
                        sums.1 += (group.dweight + i).load(count)
                    }
                    dbias.store(sums.0, count)
                    dweight.store(sums.1, count)
                }
            }
        }
    }
}

/// What a group of rows adds to dbias and dweight.
private struct LayerNormSums {
    let dbias, dweight: UnsafeMutablePointer<Float>

    /// The sums of `count` columns, one after the other from `dbias` on.
    init(dbias: UnsafeMutablePointer<Float>, count: Int) { (self.dbias, dweight) = (dbias, dbias + count) }
}

/// So many rows at once: what they add to a column's sums is added, and the column's weight is read, once for all.
private struct LayerNormRows<let count: Int> {
    /// With g = weight · dout, the sums over the columns of a row, lane by lane.
    private struct Sums {
        var g = Vector(repeating: 0)
        var gNorm = Vector(repeating: 0)
    }

    /// dinp of the rows from `row` on; what they add to dweight and dbias goes to `sums`.
    @inline(__always)
    static func backward(_ a: LayerNorm.Backward<Float>, _ row: Int, _ sums: LayerNormSums) {
        let rowSums = Self.sums(a, row, sums)
        let overwrites = a.overwrites.contains(.activations)
        for r in 0..<count {
            let (inp, dout) = (a.inp.base + (row + r) * a.C, a.dout.base + (row + r) * a.C)
            let (mean, rstd) = (Vector(repeating: a.mean[row + r]), Vector(repeating: a.rstd[row + r]))
            let gMean = Vector(repeating: rowSums[r].g.laneSum() / Float(a.C))
            let gNormMean = Vector(repeating: rowSums[r].gNorm.laneSum() / Float(a.C))
            let (dinp, weight) = (a.dinp.base + (row + r) * a.C, a.weight.base)
            @inline(__always)
            func gradient(_ i: Int, _ lanes: Int) {
                let g = (weight + i).load(lanes) * (dout + i).load(lanes)
                let norm = ((inp + i).load(lanes) - mean) * rstd
                let gradient = (g - gMean).minus(norm, times: gNormMean)
                let target = dinp + i
                target.store(overwrites ? rstd * gradient : target.load(lanes).plus(rstd, times: gradient), lanes)
            }
            forEachVector(0..<a.C, gradient)
        }
    }

    /// The sums of the rows from `row` on, and their part of `columns`.
    ///
    /// A function of its own: what a loop over rows reads later would not stay in registers.
    @inline(never)
    private static func sums(
        _ a: LayerNorm.Backward<Float>, _ row: Int, _ columns: LayerNormSums
    ) -> InlineArray<count, Sums> {
        let C = a.C
        let (inp, dout, weight) = (a.inp.base + row * C, a.dout.base + row * C, a.weight.base)
        let (mean, rstd) = (a.mean.base + row, a.rstd.base + row)
        var sums = InlineArray<count, Sums>(repeating: Sums())
        @inline(__always)
        func add(_ i: Int, _ lanes: Int) {
            let weight = (weight + i).load(lanes)
            var (dbias, dweight) = (Vector(repeating: 0), Vector(repeating: 0))
            for r in 0..<count {
                let dout = (dout + r * C + i).load(lanes)
                let norm = ((inp + r * C + i).load(lanes) - Vector(repeating: mean[r])) * Vector(repeating: rstd[r])
                let term = weight * dout
                sums[r].g += term
                sums[r].gNorm = sums[r].gNorm.plus(term, times: norm)
                dbias += dout
                dweight = dweight.plus(dout, times: norm)
            }
            (columns.dbias + i).store((columns.dbias + i).load(lanes) + dbias, lanes)
            (columns.dweight + i).store((columns.dweight + i).load(lanes) + dweight, lanes)
        }
        forEachVector(0..<C, add)
        return sums
    }
}
