import Foundation
import Kernels
import Tensors
import Testing

@testable import FastKernels

/// What the fast kernels are made of.
struct FastMachineryTests {
    /// One in 1,009 of all float32: within 1 ulp, with an exact 1 at 0.
    @Test func exponential() {
        var worst = 0.0
        for sign in [Float(1), -1] {
            for bits in stride(from: UInt32(0), to: Float(88).bitPattern, by: 1009 * lanes) {
                var x = Vector(repeating: 0)
                for i in 0..<lanes { x[i] = sign * Float(bitPattern: bits + UInt32(1009 * i)) }
                let answer = exp(x)
                for i in 0..<lanes where x[i] > -87.336 && x[i] < 88 {
                    let truth = Foundation.exp(Double(x[i]))
                    worst = max(worst, abs(Double(answer[i]) - truth) / Double(Float(truth).ulp))
                }
            }
        }
        #expect(worst <= 1.0)
        #expect(exp(Vector(repeating: 0)) == Vector(repeating: 1))
        #expect(exp(Vector(repeating: -.infinity)) == Vector(repeating: 0))
        #expect(exp(Vector(repeating: -88)) == Vector(repeating: 0))
        #expect(exp(Vector(repeating: .nan))[0].isNaN)
    }

    struct Sizes: Sendable, CustomTestStringConvertible {
        let rows, columns, depth: Int
        var testDescription: String { "\(rows) × \(columns), \(depth) deep" }
    }

    static let sizes = [
        Sizes(rows: 1, columns: 1, depth: 1), Sizes(rows: 13, columns: 33, depth: 257),
        Sizes(rows: 96, columns: 128, depth: 260), Sizes(rows: 300, columns: 47, depth: 131),
        Sizes(rows: 37, columns: 300, depth: 5),
    ]

    /// Both shapes of tile, whichever this CPU's is, in all orientations and with rows of c apart.
    @Test(arguments: sizes) func tiles(_ sizes: Sizes) {
        check(GEMM<Tile<SIMD8<Float>, 6>>.self, sizes)
        check(GEMM<Tile<SIMD16<Float>, 12>>.self, sizes)
    }

    private func check<T: RegisterTile>(_ product: GEMM<T>.Type, _ sizes: Sizes) {
        let (M, N, K, stride) = (sizes.rows, sizes.columns, sizes.depth, sizes.columns + 3)
        var draw = SplitMix64(state: 3)
        let a = (0..<M * K).map { _ in draw.uniform() - 0.5 }, b = (0..<N * K).map { _ in draw.uniform() - 0.5 }
        let bias = (0..<N).map { _ in draw.uniform() }
        func transposed(_ x: [Float], _ lines: Int) -> [Float] {
            (0..<x.count).map { x[$0 % lines * K + $0 / lines] }
        }
        let truth = (0..<M * N).map { index in
            (0..<K).reduce(0.0) { $0 + Double(a[index / N * K + $1]) * Double(b[index % N * K + $1]) }
        }
        for (aIsTransposed, bIsTransposed) in [(false, false), (false, true), (true, false), (true, true)] {
            let x = Tensor(aIsTransposed ? transposed(a, M) : a), y = Tensor(bIsTransposed ? transposed(b, N) : b)
            let offset = Tensor(bias)
            for start in [GEMM<T>.Start.zero, .accumulate, .bias(View(offset.view))] {
                let c = Tensor<Float>(repeating: 7, count: M * stride)
                product.multiply(
                    c.view, stride: stride, rows: M, columns: N, depth: K,
                    aIsTransposed ? .columns(of: View(x.view), M) : .rows(of: View(x.view), K),
                    bIsTransposed ? .columns(of: View(y.view), N) : .rows(of: View(y.view), K), start)
                let isRight = (0..<M * stride).allSatisfy { i in
                    let (row, column) = (i / stride, i % stride)
                    guard column < N else { return c.view[i] == 7 }
                    let initial: Double =
                        switch start {
                        case .zero: 0
                        case .accumulate: 7
                        case .bias: Double(bias[column])
                        }
                    return abs(Double(c.view[i]) - initial - truth[row * N + column]) < 1e-6 * Double(K + 8)
                }
                #expect(isRight, "\(product), \(aIsTransposed), \(bIsTransposed)")
            }
        }
    }

    /// Sums over rows, two at once, have the same bits for any number of threads, and reach every column.
    @Test(arguments: [1, 15, 31, 32, 97], [1, 3, 16, 45]) func sumsOfRows(columns: Int, rows: Int) {
        let bits = [1, 2, 3, 5].map { threads in
            let sums = Tensor<Float>(repeating: 1, count: columns)
            let counts = Tensor<Float>(repeating: .nan, count: columns)
            let workers = Workers(count: threads)
            workers.sumRows(rows, into: [sums.view], overwrite: false) { sums, row, column, count in
                for i in 0..<count { sums[0][i] += Float(row * (column + i)) }
            }
            #expect((0..<columns).allSatisfy { sums.view[$0] == Float(1 + rows * (rows - 1) / 2 * $0) })
            workers.sumRows(rows, into: [counts.view, sums.view], overwrite: true) { sums, row, column, count in
                for i in 0..<count {
                    sums[0][i] += 1
                    sums[1][i] += Float(row * (column + i) - 1)
                }
            }
            #expect(counts.view.buffer.allSatisfy { $0 == Float(rows) })
            #expect((0..<columns).allSatisfy { sums.view[$0] == Float(rows * (rows - 1) / 2 * $0 - rows) })
            return sums.view.buffer.map(\.bitPattern)
        }
        #expect(bits.allSatisfy { $0 == bits[0] })
    }
}
