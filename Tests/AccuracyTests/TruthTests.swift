import Accuracy
import KernelCatalog
import Kernels
import Testing

/// What a drawn call should leave.
struct TruthTests {
    private let reference = KernelSet(KernelCatalog.standard.exact)
    private let sizes = ["B": 3, "T": 5, "C": 7, "OC": 4]

    /// A product written out once more.
    @Test func aProduct() throws {
        let call = DrawnCall(sizes: sizes, seed: 9)
        let truth = try Truth(call, of: Matmul.Forward<Float>.self, by: reference)
        let values = call.values(of: Matmul.Forward<Double>.self, by: reference).converted(to: Double.self)
        let inp = try #require(values.numbers["inp"]), weight = try #require(values.numbers["weight"])
        let bias = try #require(values.numbers["bias"])
        let out = try #require(truth.results.first)
        #expect(truth.results.count == 1 && out.argument.name == "out")
        #expect(Array(out.indices) == Array(0..<60) && truth.compared == 60 && truth.total == 60)
        for (index, (value, bound)) in zip(out.values, out.bounds).enumerated() {
            let (row, column) = (index / 4, index % 4)
            let terms: [Double] = (0..<7).map { inp[row * 7 + $0] * weight[column * 7 + $0] }
            let (expected, largest) = (terms.reduce(bias[column], +), terms.reduce(0) { max($0, abs($1)) })
            #expect(abs(value - expected) <= 1e-14 * largest)
            // The bound allows a sum in float32, and not one that lacks a hundredth of a term.
            var single = Float(bias[column])
            for c in 0..<7 { single += Float(inp[row * 7 + c]) * Float(weight[column * 7 + c]) }
            #expect(abs(Double(single) - value) <= bound)
            #expect(bound < 0.01 * largest)
        }
    }

    /// A gradient is added to what is there, unless the call overwrites it.
    @Test func gradientsAreAddedOrWritten() throws {
        var call = DrawnCall(sizes: ["N": 50], seed: 2)
        let values = call.values(of: Residual.Backward<Double>.self, by: reference).converted(to: Double.self)
        let dout = try #require(values.numbers["dout"])
        let added = try Truth(call, of: Residual.Backward<Float>.self, by: reference)
        call.overwrites = .activations
        let written = try Truth(call, of: Residual.Backward<Float>.self, by: reference)
        for (added, written) in zip(added.results, written.results) {
            let initial = try #require(values.numbers[added.argument.name])
            #expect(added.argument.role == .accumulator && written.argument.role == .output)
            #expect(written.values == dout)
            #expect(added.values == zip(initial, dout).map { $0 + $1 })
        }
    }

    @Test func onlyWhatIsSpecified() throws {
        let call = DrawnCall(sizes: ["B": 2, "T": 6, "C": 8, "NH": 2])
        let truth = try Truth(call, of: Attention.Forward<Float>.self, by: reference)
        #expect(truth.results.map(\.argument.name) == ["out", "preatt", "att"])
        // On and below the diagonals; att is specified everywhere.
        #expect(truth.results.map(\.indices.count) == [2 * 6 * 8, 2 * 2 * 21, 2 * 2 * 36])
        #expect(truth.results[1].indices.allSatisfy { $0 % 6 <= $0 / 6 % 6 })
        #expect(truth.compared < truth.total)
    }

    @Test func absentResultsHaveNone() throws {
        let whole = DrawnCall(sizes: sizes)
        let without = DrawnCall(sizes: sizes, absent: ["dbias"])
        let kernel = Matmul.Backward<Float>.self
        #expect(
            try Truth(whole, of: kernel, by: reference).results.map(\.argument.name) == ["dinp", "dweight", "dbias"])
        #expect(try Truth(without, of: kernel, by: reference).results.map(\.argument.name) == ["dinp", "dweight"])
    }

    /// Of a call that is too large, corners and others, the same each time.
    @Test func largeCallsAreSampled() throws {
        let call = DrawnCall(sizes: ["B": 4, "T": 64, "C": 96, "OC": 128])
        let (first, second) = (
            try Truth(call, of: Matmul.Backward<Float>.self, by: reference, limit: 1 << 18),
            try Truth(call, of: Matmul.Backward<Float>.self, by: reference, limit: 1 << 18)
        )
        for (result, again) in zip(first.results, second.results) {
            #expect(
                Array(result.indices) == Array(again.indices) && result.values == again.values
                    && result.bounds == again.bounds)
            #expect(result.indices.count >= 2 && result.indices.count < result.argument.count)
            #expect(result.indices.first == 0 && result.indices.last == result.argument.count - 1)
            #expect(zip(result.indices, result.indices.dropFirst()).allSatisfy { $0 < $1 })
            #expect(result.bounds.allSatisfy { $0 > 0 && $0.isFinite })
        }
        #expect(first.compared < first.total)
    }

    @Test(arguments: [
        (["B": 1, "T": 1, "C": 1], "OC"), (["B": 0, "T": 1, "C": 1, "OC": 1], "B is 0"),
        (["B": 1 << 30, "T": 1 << 30, "C": 1, "OC": 1], "too large"),
    ])
    func unusableSizes(_ sizes: [String: Int], says: String) {
        let error = #expect(throws: SignatureError.self) {
            try Truth(DrawnCall(sizes: sizes), of: Matmul.Forward<Float>.self, by: reference)
        }
        #expect(error?.description.contains(says) == true)
    }
}
