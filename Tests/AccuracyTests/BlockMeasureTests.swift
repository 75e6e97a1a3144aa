import Accuracy
import KernelCatalog
import Kernels
import Tensors
import Testing

/// The second yardstick: what stays within every bound, and no chance makes.
struct BlockMeasureTests {
    private static var reference: KernelSet<Double> { KernelSet(KernelCatalog.standard.exact) }

    /// A product of GPT-2's, drawn, with its truth and what a plain float loop makes of it.
    private struct Product {
        let truth: Truth.Result
        let plain: [Float]
        let exact: [Double]
        let rows: Int, columns: Int, terms: Int

        init(_ rows: Int, _ terms: Int, _ columns: Int) throws {
            typealias Forward = Matmul.Forward<Float>
            let call = DrawnCall(sizes: ["B": 1, "T": rows, "C": terms, "OC": columns], absent: ["bias"], seed: 3)
            let values = call.values(of: Forward.InDouble.self, by: reference)
            let truth = try Truth(call, of: Forward.self, by: reference, limit: 1 << 18, values: values)
            self.truth = try #require(truth.results.first)
            let (inp, weight) = try (#require(values.numbers["inp"]), #require(values.numbers["weight"]))
            (self.rows, self.terms, self.columns) = (rows, terms, columns)
            plain = Self.product(rows, terms, columns, inp, weight) { $0 }
            exact = values.converted(to: Double.self).results(of: Forward.InDouble.self, by: reference)["out"] ?? []
            tensorFloat = Self.product(rows, terms, columns, inp, weight) {
                Float(bitPattern: ($0.bitPattern &+ 0x1000) & 0xffff_e000)
            }
        }

        let tensorFloat: [Float]

        private static func product(
            _ rows: Int, _ terms: Int, _ columns: Int, _ a: [Float], _ b: [Float], _ rounded: (Float) -> Float
        ) -> [Float] {
            let (a, b) = (a.map(rounded), b.map(rounded))
            var out = [Float](repeating: 0, count: rows * columns)
            for row in 0..<rows {
                for column in 0..<columns {
                    var sum: Float = 0
                    for k in 0..<terms { sum += a[row * terms + k] * b[column * terms + k] }
                    out[row * columns + column] = sum
                }
            }
            return out
        }

        /// The plain answer, with a tile of 12 x 32 off by that much.
        func spoilt(by relative: Float, row: Int, column: Int) -> [Float] {
            var answer = plain
            for r in row..<row + 12 { for c in column..<column + 32 { answer[r * columns + c] *= 1 + relative } }
            return answer
        }
    }

    private static let product = Result { try Product(48, 768, 256) }

    @Test func aPlainLoopHolds() throws {
        let product = try Self.product.get()
        #expect(product.truth.indices.count < product.rows * product.columns, "sums are tried only where not all is")
        let blocks = try #require(product.truth.blocks(product.plain))
        #expect(blocks.holds && blocks.worst > 0.1 && product.truth.measure(product.plain).worst < 0.05)
    }

    /// Wherever the tile lies, and whatever elements were compared one by one.
    @Test(arguments: [1e-2, 1e-4, 1e-5] as [Float])
    func aTileThatIsOff(by relative: Float) throws {
        let product = try Self.product.get()
        var generator = SplitMix64(state: 7)
        for _ in 0..<20 {
            let row = Int.random(in: 0..<product.rows - 12, using: &generator)
            let column = Int.random(in: 0..<product.columns - 32, using: &generator)
            let blocks = try #require(
                product.truth.blocks(product.spoilt(by: relative, row: row, column: column)))
            #expect(!blocks.holds, "at \(row), \(column)")
            #expect(blocks.worstRows.overlaps(row..<row + 12) && blocks.worstColumns.overlaps(column..<column + 32))
        }
    }

    @Test func tensorFloat32() throws {
        let product = try Product(16, 3072, 96)
        #expect(product.truth.measure(product.tensorFloat).worst < 1)
        #expect(try #require(product.truth.blocks(product.tensorFloat)).worst > 100)
        #expect(try #require(product.truth.blocks(product.plain)).holds)
    }

    @Test func notANumberFails() throws {
        let product = try Self.product.get()
        var answer = product.plain
        answer[1000] = .nan
        #expect(try #require(product.truth.blocks(answer)).holds == false)
    }
}
