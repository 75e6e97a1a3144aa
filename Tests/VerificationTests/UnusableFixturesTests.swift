import Fixtures
import Foundation
import HDF5
import KernelCatalog
import Tensors
import TestSupport
import Testing
import Verification

/// Fixtures that cannot be used are refused, with the file, the dataset and a remedy; they never pass and never crash.
@Suite(.serialized)
struct UnusableFixturesTests {
    /// The error of verifying by the fixture at `path`, which is sealed anew unless its damage is the point.
    private func refusal(of path: String, sealed: Bool = true) throws -> FixtureError {
        if sealed { try FixtureSeal.renew(path) }
        do {
            let outcome = try verify(fixtures: [path])
            Issue.record("accepted, with the verdict \(outcome.verdict)")
        } catch let error as FixtureError {
            #expect(error.file == path)
            #expect(!error.remedy.isEmpty)
            #expect(!error.description.contains("\n"))
            return error
        }
        throw CancellationError()
    }

    @Test func missing() throws {
        let error = try refusal(of: "/no/such/tiny.h5", sealed: false)
        #expect(error.description.contains("there is no such file"))
    }

    @Test(arguments: ["tiny.h5", "kernels/gelu.h5"], [0.1, 0.5, 0.99])
    func truncated(_ fixture: String, fraction: Double) throws {
        let folder = try TemporaryFolder()
        let path = try folder.copy(of: fixture)
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        try data.prefix(Int(Double(data.count) * fraction)).write(to: URL(fileURLWithPath: path))
        _ = try refusal(of: path, sealed: false)
        // One that was cut before it was sealed is refused too.
        _ = try refusal(of: path)
    }

    @Test func anotherVersion() throws {
        let folder = try TemporaryFolder()
        let path = try folder.copy(of: "kernels/gelu.h5")
        try File(updating: path).setAttribute("plumbline_schema", of: "/", to: [1] as [Int64])
        let error = try refusal(of: path)
        #expect(error.description.contains("version 1") && error.remedy.contains("generate_fixtures.py"))
    }

    @Test func anotherKind() throws {
        let folder = try TemporaryFolder()
        let path = try folder.copy(of: "kernels/gelu.h5")
        try File(updating: path).setAttribute("kind", of: "/", to: "cases")
        #expect(try refusal(of: path).problem.contains("'cases'"))
    }

    @Test func aTensorTooMany() throws {
        let folder = try TemporaryFolder()
        let path = try folder.copy(of: "tiny.h5")
        do {
            try File(updating: path).createDataset("gradients/dnothing/float32", of: Float.self, shape: [2]).write(
                [1, 2] as [Float])
        }
        let error = try refusal(of: path)
        #expect(error.dataset == "gradients/dnothing/float32" && error.problem.contains("does not list"))
    }

    @Test func aTensorTooFew() throws {
        let folder = try TemporaryFolder()
        let path = try folder.copy(of: "tiny.h5")
        do { try File(updating: path).delete("activations/h.0.ln1/float64") }
        let error = try refusal(of: path)
        #expect(error.dataset == "activations/h.0.ln1/float64" && error.problem == "it is missing")
    }

    @Test func anotherShape() throws {
        let folder = try TemporaryFolder()
        let path = try folder.copy(of: "kernels/residual.h5")
        do {
            let file = try File(updating: path)
            try file.delete("forward/one/inp1")
            try file.createDataset("forward/one/inp1", of: Float.self, shape: [2]).write([1, 2] as [Float])
        }
        let error = try refusal(of: path)
        #expect(error.dataset == "forward/one/inp1" && error.problem.contains("[2]"))
    }

    @Test(arguments: [("inputs", Int32(257)), ("targets", -1)])
    func aTokenOutsideTheVocabulary(_ dataset: String, token: Int32) throws {
        let folder = try TemporaryFolder()
        let path = try folder.copy(of: "tiny.h5")
        do { try File(updating: path).dataset(dataset).write([token], elements: 5..<6) }
        let error = try refusal(of: path)
        #expect(error.dataset == dataset && error.problem.contains("token \(token) at 5"))
    }

    @Test func aTokenOutsideTheVocabularyOfACase() throws {
        let folder = try TemporaryFolder()
        let path = try folder.copy(of: "kernels/encoder.h5")
        do { try File(updating: path).dataset("forward/typical/inp").write([Int32(20)], elements: 3..<4) }
        let error = try refusal(of: path)
        #expect(error.dataset == "forward/typical/inp" && error.problem.contains("vocabulary of 20"))
    }

    @Test(arguments: ["forward/typical/inp", "forward/typical/out/float64"])
    func notANumber(_ dataset: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.copy(of: "kernels/gelu.h5")
        do {
            let opened = try File(updating: path).dataset(dataset)
            if opened.type == .float64 {
                try opened.write([Double.nan], elements: 2..<3)
            } else {
                try opened.write([Float.nan], elements: 2..<3)
            }
        }
        let error = try refusal(of: path)
        #expect(error.dataset?.hasPrefix("forward/typical") == true && error.problem.contains("element 2"))
    }

    /// Adds to an element of what the file says of one result.
    private func change(_ path: String, _ result: String, _ index: Int, inFloat32: Bool) throws {
        let file = try File(updating: path)
        let truth = try file.dataset("\(result)/float64"), torch = try file.dataset("\(result)/float32")
        let value = try truth.read(Double.self, elements: index..<index + 1)[0] + 1e-4
        try truth.write([value], elements: index..<index + 1)
        if inFloat32 { try torch.write([Float(value)], elements: index..<index + 1) }
    }

    /// A truth that PyTorch's own float32 is far from is none.
    @Test func aTruthThatPyTorchMisses() throws {
        let folder = try TemporaryFolder()
        let path = try folder.copy(of: "kernels/gelu.h5")
        try change(path, "backward/wide/dinp", 100, inFloat32: false)
        let error = try refusal(of: path)
        #expect(error.dataset == "backward/wide/dinp" && error.problem.contains("element 100 of PyTorch's float32"))
    }

    /// A truth that was changed with PyTorch's answer is not unusable: the kernel does not hold by it.
    @Test func aChangedTruth() throws {
        let folder = try TemporaryFolder()
        let path = try folder.copy(of: "kernels/gelu.h5")
        try change(path, "backward/wide/dinp", 100, inFloat32: true)
        try FixtureSeal.renew(path)
        let outcome = try verify(fixtures: [path])
        #expect(outcome.verdict == .fail)
        let row = try #require(outcome.rows.first { $0.verdict == .fail })
        #expect(row.index == [100] && row.tensor == "dinp" && row.case == "wide")
    }

    /// One bit changed anywhere in any fixture: refused before anything of it is believed.
    @Test(arguments: KernelCatalog.standard.operations.map { "kernels/\($0).h5" } + ["tiny.h5"])
    func flippedBits(_ fixture: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.copy(of: fixture)
        var generator = SplitMix64(state: 1)
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        let size = try file.seekToEnd()
        func flip(_ bit: UInt8, at place: UInt64) throws {
            try file.seek(toOffset: place)
            let byte = try #require(try file.read(upToCount: 1)?.first)
            try file.seek(toOffset: place)
            try file.write(contentsOf: Data([byte ^ bit]))
        }
        for _ in 0..<200 {
            let place = UInt64.random(in: 0..<size, using: &generator)
            let bit = UInt8(1) << UInt8.random(in: 0..<8, using: &generator)
            try flip(bit, at: place)
            #expect(throws: FixtureError.self, "bit \(bit) of byte \(place)") { try verify(fixtures: [path]) }
            try flip(bit, at: place)
        }
        #expect(throws: Never.self) { try verify(fixtures: [path], modes: [.isolated]) }
    }

    /// A damaged file that was sealed all the same, as by a writer on a failing disk: libhdf5's checksums and the closed
    /// manifest stand behind the seal.
    @Test(arguments: ["kernels/residual.h5", "kernels/adamw.h5"])
    func flippedBitsUnderASeal(_ fixture: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.copy(of: fixture)
        let original = try Data(contentsOf: URL(fileURLWithPath: path))
        let before = try verify(fixtures: [path])
        var (tried, refused, failed) = (0, 0, 0)
        for place in stride(from: 519, to: original.count, by: original.count / 40) {
            tried += 1
            var changed = original
            changed[place] ^= UInt8(1 << (place % 8))
            try changed.write(to: URL(fileURLWithPath: path))
            try FixtureSeal.renew(path)
            guard let outcome = try? verify(fixtures: [path]) else {
                refused += 1
                continue
            }
            guard outcome.verdict == .pass else {
                failed += 1
                continue
            }
            #expect(outcome.rows.map(\.rmse) == before.rows.map(\.rmse), "byte \(place)")
            #expect(outcome.rows.map(\.worst) == before.rows.map(\.worst), "byte \(place)")
        }
        // The rest lies between objects, where nothing is read.
        #expect(tried >= 40 && refused + failed > tried / 2, "\(refused) refused and \(failed) failed of \(tried)")
        print("\(fixture): \(refused) of \(tried) flips refused, \(failed) failed, the others changed no number")
    }

    @Test func anEmptyTensor() throws {
        let folder = try TemporaryFolder()
        let path = try folder.copy(of: "kernels/residual.h5")
        do {
            let file = try File(updating: path)
            try file.delete("forward/one/inp1")
            try file.createDataset("forward/one/inp1", of: Float.self, shape: [0]).write([] as [Float])
        }
        #expect(try refusal(of: path).dataset == "forward/one/inp1")
    }

    @Test func nothingToCompare() throws {
        let tiny = "\(packageRoot)/fixtures/tiny.h5"
        #expect(throws: FixtureError.self) { try verify(fixtures: [tiny], only: ["adamw"], modes: [.isolated]) }
    }
}
