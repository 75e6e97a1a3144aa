import Fixtures
import Foundation
import HDF5
import TestSupport
import Testing
import Verification

/// What another program wrote of one pass is compared with a debug state, and nothing passes by being left out.
struct DumpComparisonTests {
    private static let reference = "\(packageRoot)/fixtures/tiny.h5"

    /// The reference's own float32 run as a candidate, without the tensors that `leaving` names.
    private static func candidate(
        _ folder: TemporaryFolder, leaving: Set<String> = [], grouped: Bool = false,
        change: (String, inout [Float], inout [Int]) -> Void = { _, _, _ in }
    ) throws -> String {
        let path = folder.path + "/candidate.h5"
        let source = try File(reading: reference)
        let file = try File(creating: path)
        for group in ["activations", "gradients"] {
            for name in try source.datasets(below: group) where name.hasSuffix("/float32") {
                let tensor = String(name.dropLast("/float32".count))
                guard !leaving.contains(tensor) else { continue }
                var (values, shape) = (try source.dataset(name).read(Float.self), try source.dataset(name).shape)
                change(tensor, &values, &shape)
                try file.createDataset(grouped ? name : tensor, of: Float.self, shape: shape).write(values)
            }
        }
        return path
    }

    private static func compare(_ candidate: String) throws -> (outcome: VerificationOutcome, notMaterialised: [String])
    {
        try DumpComparison(reference: reference, candidate: candidate).run()
    }

    private static func absent(_ names: [String], in path: String) throws {
        let listing = String(decoding: try JSONEncoder().encode(names), as: UTF8.self)
        try File(updating: path).setAttribute("not_materialised", of: "/", to: listing)
    }

    @Test(arguments: [false, true])
    func theReferencesOwnRunHolds(grouped: Bool) throws {
        let folder = try TemporaryFolder()
        let (outcome, absent) = try Self.compare(Self.candidate(folder, grouped: grouped))
        #expect(outcome.verdict == .pass && absent.isEmpty)
        #expect(outcome.fixtures[0].compared == outcome.rows.count && outcome.fixtures[0].listed == outcome.rows.count)
        #expect(outcome.rows.count == 95)
    }

    @Test func theVocabularysPaddingMayBeLeftOut() throws {
        let folder = try TemporaryFolder()
        let path = try Self.candidate(folder) { tensor, values, shape in
            if tensor == "gradients/dtransformer.wte.weight" {
                values.removeLast(7 * 15)
                shape[0] = 257
            } else if shape.last == 264 {
                values = values.enumerated().filter { $0.offset % 264 < 257 }.map(\.element)
                shape[2] = 257
            }
        }
        #expect(try Self.compare(path).outcome.verdict == .pass)
    }

    @Test func theFirstDivergenceIsNamed() throws {
        let folder = try TemporaryFolder()
        let path = try Self.candidate(folder) { tensor, values, _ in
            if ["activations/h.1.fch", "activations/logits", "gradients/h.0.dqkv"].contains(tensor) {
                values[3] += 0.01
            }
        }
        let outcome = try Self.compare(path).outcome
        #expect(outcome.verdict == .fail && outcome.rows.count { $0.verdict == .fail } == 3)
        #expect(outcome.blamed?.tensor == "fch" && outcome.blamed?.explanation.contains("fch of tiny h.1") == true)
    }

    @Test func whatIsNotMaterialisedIsCounted() throws {
        let folder = try TemporaryFolder()
        let names = ["activations/h.0.att", "gradients/h.0.datt"]
        let path = try Self.candidate(folder, leaving: Set(names))
        try Self.absent(names, in: path)
        let (outcome, absent) = try Self.compare(path)
        #expect(outcome.verdict == .pass && absent == names && outcome.fixtures[0].leftOut == 2)
    }

    @Test(arguments: [
        ("missing", "does not name it as not materialised"), ("shape", "of shape [2, 21]"),
        ("stranger", "no such tensor"),
        ("named stranger", "no such tensor"), ("named and there", "and has it"), ("NaN", "error inf"),
        ("zeros", "every element, zero"),
    ])
    func doesNotHold(_ damage: String, says: String) throws {
        let folder = try TemporaryFolder()
        let path = try Self.candidate(folder, leaving: damage == "missing" ? ["activations/h.0.ln1"] : []) {
            guard $0 == "activations/h.0.ln1" else { return }
            switch damage {
            case "shape": ($1, $2) = (Array($1.prefix(42)), [2, 21])
            case "NaN": $1[5] = .nan
            case "zeros": $1 = $1.map { _ in 0 }
            default: break
            }
        }
        switch damage {
        case "stranger":
            try File(updating: path).createDataset("activations/h.2.ln1", of: Float.self, shape: [1]).write(
                [1] as [Float])
        case "named stranger": try Self.absent(["activations/h.2.ln1"], in: path)
        case "named and there": try Self.absent(["activations/h.0.ln1"], in: path)
        default: break
        }
        let outcome = try Self.compare(path).outcome
        let failures = outcome.rows.filter { $0.verdict == .fail }
        #expect(outcome.verdict == .fail && failures.count == 1)
        #expect(failures[0].finding.contains(says), "\(failures[0].finding)")
    }

    @Test func unusable() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/candidate.h5"
        func refusal(reference: String = Self.reference, _ candidate: String) -> String {
            do throws(FixtureError) {
                _ = try DumpComparison(reference: reference, candidate: candidate).run()
                Issue.record("accepted")
                return ""
            } catch {
                #expect(!error.remedy.isEmpty && !error.description.contains("\n"))
                return error.description
            }
        }
        #expect(refusal(path).contains("no such file"))
        try Data("HDF5?".utf8).write(to: URL(fileURLWithPath: path))
        #expect(refusal(path).contains("not an HDF5 file"))
        do { _ = try File(creating: path) }
        #expect(refusal(path).contains("it has no dataset below activations or gradients"))
        #expect(refusal(reference: "\(packageRoot)/fixtures/kernels/gelu.h5", path).contains("a debug state is needed"))

        _ = try Self.candidate(folder)
        do { try File(updating: path).setAttribute("not_materialised", of: "/", to: "att") }
        #expect(refusal(path).contains("not a JSON array"))
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        try data.prefix(data.count / 2).write(to: URL(fileURLWithPath: path))
        #expect(refusal(path).contains(path))
    }

    @Test func nothingMaterialised() throws {
        let folder = try TemporaryFolder()
        let all = try File(reading: Self.reference).datasets().filter {
            $0.hasSuffix("/float32") && !$0.hasPrefix("training/")
        }.map { String($0.dropLast("/float32".count)) }
        let path = try Self.candidate(folder, leaving: Set(all))
        do {
            try File(updating: path).createDataset("activations/other", of: Float.self, shape: [1]).write(
                [0] as [Float])
        }
        try Self.absent(all, in: path)
        #expect(throws: FixtureError.self) { try Self.compare(path) }
    }
}
