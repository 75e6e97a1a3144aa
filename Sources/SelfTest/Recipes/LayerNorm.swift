import Foundation
import Kernels
import Tensors

struct LayerNormForwardRecipe: Recipe {
    /// How a row is normalized.
    enum Form: Sendable, CaseIterable {
        /// (inp − mean)·rstd, inp·rstd − mean·rstd, or inp·a + (bias − mean·a) with a = weight·rstd.
        case centred, expanded, folded
    }

    var arithmetic = Arithmetic()
    var form = Form.centred
    /// Whether mean and variance are those of Welford's, which change with each number.
    var isRunning = false
    var eps: Float = 1e-5
    var epsIsOutside = false
    var divisor: @Sendable (_ C: Int) -> Int = { $0 }
    var isCentred = true
    var varianceFromSquares = false
    var weightOffset: Float = 0
    var biasFactor: Float = 1
    /// The row whose statistics row r takes.
    var statistics: @Sendable (_ row: Int) -> Int = { $0 }

    mutating func choose(using generator: inout SplitMix64) {
        form = Form.allCases.randomElement(using: &generator) ?? form
        isRunning = Bool.random(using: &generator)
    }

    func run(_ a: LayerNorm.Forward<Float>, _ workers: Workers) {
        workers.forEach(a.B * a.T) { row in
            let from = statistics(row) * a.C
            let running = isRunning ? welford(a.C) { a.inp[from + $0] } : nil
            let mean = running?.mean ?? (isCentred ? arithmetic.sum(a.C) { a.inp[from + $0] } / Float(a.C) : 0)
            let squares =
                running?.squares
                ?? (varianceFromSquares
                    ? arithmetic.dot(a.C, { a.inp[from + $0] }, { a.inp[from + $0] }) - Float(a.C) * mean * mean
                    : arithmetic.dot(a.C, { a.inp[from + $0] - mean }, { a.inp[from + $0] - mean }))
            let variance = squares / Float(divisor(a.C))
            let rstd = epsIsOutside ? 1 / (variance.squareRoot() + eps) : 1 / (variance + eps).squareRoot()
            a.mean[row] = mean
            a.rstd[row] = rstd
            for i in 0..<a.C {
                let x = a.inp[row * a.C + i]
                let (weight, bias) = (a.weight[i] + weightOffset, biasFactor * a.bias[i])
                a.out[row * a.C + i] =
                    switch form {
                    case .centred: arithmetic.multiplyAdd((x - mean) * rstd, weight, bias)
                    case .expanded: arithmetic.multiplyAdd(x * rstd - mean * rstd, weight, bias)
                    case .folded:
                        arithmetic.multiplyAdd(
                            x, weight * rstd, arithmetic.multiplyAdd(-mean, weight * rstd, bias))
                    }
            }
        }
    }

    /// Source: Welford 1962, Note on a method for calculating corrected sums of squares and products.
    private func welford(_ count: Int, _ x: (Int) -> Float) -> (mean: Float, squares: Float) {
        var (mean, squares): (Float, Float) = (0, 0)
        for i in 0..<count {
            let difference = x(i) - mean
            mean += difference / Float(i + 1)
            squares = arithmetic.multiplyAdd(difference, x(i) - mean, squares)
        }
        return (mean, squares)
    }

    static let faults: [Change<Self>] = [
        Change("eps of 1e-6") { $0.eps = 1e-6 },
        Change("eps of 1.1e-5") { $0.eps = 1.1e-5 },
        Change("no eps") { $0.eps = 0 },
        Change("eps outside the root") { $0.epsIsOutside = true },
        Change("the variance divided by C − 1") { $0.divisor = { max($0 - 1, 1) } },
        Change("the variance divided by C + 1") { $0.divisor = { $0 + 1 } },
        Change("the mean not taken off") { $0.isCentred = false },
        Change("the variance as a difference of squares") { $0.varianceFromSquares = true },
        Change("weight + 1") { $0.weightOffset = 1 },
        Change("no bias") { $0.biasFactor = 0 },
        Change("the bias taken off") { $0.biasFactor = -1 },
        Change("statistics of the first row") { $0.statistics = { _ in 0 } },
        Change("statistics of the row before") { $0.statistics = { max($0 - 1, 0) } },
    ]
}

struct LayerNormBackwardRecipe: Recipe {
    var arithmetic = Arithmetic()
    /// Whether norm is inp·rstd − mean·rstd, and not (inp − mean)·rstd.
    var isExpanded = false
    /// Whether mean(g · norm) is made of g · inp and mean(g).
    var sumsInputs = false
    var meanFactor: Float = 1
    var normFactor: Float = 1
    var hasWeight = true
    var rstdPower = 1
    var divisor: @Sendable (_ C: Int) -> Int = { $0 }
    var weightUsesNorm = true
    var forgottenRows = 0
    var biasFactor: Float = 1
    /// The row whose statistics row r takes.
    var statistics: @Sendable (_ row: Int) -> Int = { $0 }

    mutating func choose(using generator: inout SplitMix64) {
        isExpanded = Bool.random(using: &generator)
        sumsInputs = Bool.random(using: &generator)
    }

    func run(_ a: LayerNorm.Backward<Float>, _ workers: Workers) {
        @Sendable func norm(_ row: Int, _ i: Int) -> Float {
            let (x, mean, rstd) = (a.inp[row * a.C + i], a.mean[statistics(row)], a.rstd[statistics(row)])
            return isExpanded ? x * rstd - mean * rstd : (x - mean) * rstd
        }
        workers.forEach(a.B * a.T) { row in
            func g(_ i: Int) -> Float { (hasWeight ? a.weight[i] : 1) * a.dout[row * a.C + i] }
            let gMean = arithmetic.sum(a.C, g) / Float(divisor(a.C))
            let rstd = a.rstd[statistics(row)]
            let gInpMean = sumsInputs ? arithmetic.dot(a.C, g, { a.inp[row * a.C + $0] }) / Float(a.C) : 0
            let gNormMean =
                sumsInputs
                ? rstd * (gInpMean - a.mean[statistics(row)] * gMean)
                : arithmetic.dot(a.C, g, { norm(row, $0) }) / Float(divisor(a.C))
            let scale = rstdPower == 1 ? rstd : rstdPower == 0 ? 1 : rstd * rstd
            for i in 0..<a.C {
                let gradient = g(i) - meanFactor * gMean - normFactor * norm(row, i) * gNormMean
                a.dinp[row * a.C + i] += scale * gradient
            }
        }
        let rows = a.B * a.T - forgottenRows
        workers.forEach(a.C) { i in
            a.dweight[i] = arithmetic.dot(
                from: a.dweight[i], rows, { a.dout[$0 * a.C + i] },
                { weightUsesNorm ? norm($0, i) : a.inp[$0 * a.C + i] })
            a.dbias[i] = arithmetic.sum(from: a.dbias[i], rows) { biasFactor * a.dout[$0 * a.C + i] }
        }
    }

    static let faults: [Change<Self>] = [
        Change("mean(g) left out") { $0.meanFactor = 0 },
        Change("mean(g) added") { $0.meanFactor = -1 },
        Change("norm · mean(g · norm) left out") { $0.normFactor = 0 },
        Change("the weight left out of g") { $0.hasWeight = false },
        Change("rstd left out") { $0.rstdPower = 0 },
        Change("rstd twice") { $0.rstdPower = 2 },
        Change("means divided by C − 1") { $0.divisor = { max($0 - 1, 1) } },
        Change("dweight from inp, and not from norm") { $0.weightUsesNorm = false },
        Change("the last row forgotten in dweight and dbias") { $0.forgottenRows = 1 },
        Change("dbias left out") { $0.biasFactor = 0 },
        Change("dbias twice") { $0.biasFactor = 2 },
        Change("statistics of the first row") { $0.statistics = { _ in 0 } },
    ]
}
