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
        _ folder: TemporaryFolder, leaving: Set<String> = [], in type: ElementType = .float32,
        change: (String, inout [Float], inout [Int]) -> Void = { _, _, _ in }, name: (String) -> String = { $0 }
    ) throws -> String {
        let path = folder.path + "/candidate.h5"
        let source = try File(reading: reference)
        let file = try File(creating: path)
        for group in ["activations", "gradients"] {
            for dataset in try source.datasets(below: group) where dataset.hasSuffix("/float32") {
                let tensor = String(dataset.dropLast("/float32".count))
                guard !leaving.contains(tensor) else { continue }
                var (values, shape) = (try source.dataset(dataset).read(Float.self), try source.dataset(dataset).shape)
                change(tensor, &values, &shape)
                if type == .float64 {
                    try file.createDataset(name(tensor), of: Double.self, shape: shape, level: 0).write(
                        values.map(Double.init))
                } else {
                    try file.createDataset(name(tensor), of: Float.self, shape: shape, level: 0).write(values)
                }
            }
        }
        return path
    }

    private static func compare(_ candidate: String) throws -> DumpComparison.Findings {
        try DumpComparison(reference: reference, candidate: candidate).run()
    }

    private static func absent(_ names: [String], in path: String) throws {
        let listing = String(decoding: try JSONEncoder().encode(names), as: UTF8.self)
        try File(updating: path).setAttribute("not_materialised", of: "/", to: listing)
    }

    @Test(arguments: [ElementType.float32, .float64], [false, true])
    func theReferencesOwnRunHolds(_ type: ElementType, isGrouped: Bool) throws {
        let folder = try TemporaryFolder()
        let found = try Self.compare(Self.candidate(folder, in: type, name: { isGrouped ? "\($0)/\(type)" : $0 }))
        let outcome = found.outcome
        #expect(outcome.verdict == .pass && found.notMaterialised.isEmpty && found.misfit == nil)
        #expect(outcome.fixtures[0].compared == outcome.rows.count && outcome.fixtures[0].listed == outcome.rows.count)
        #expect(outcome.rows.count == 95 && outcome.rows.map(\.worst).max() ?? 0 > 0.1)
        #expect(found.otherTypes.map(\.name) == (type == .float64 ? ["float64"] : []))
    }

    @Test func whatIsWrongInFloat64IsWrong() throws {
        let folder = try TemporaryFolder()
        let path = try Self.candidate(folder, in: .float64) { tensor, values, _ in
            if tensor == "activations/h.1.fch" { values[3] += 0.01 }
        }
        let outcome = try Self.compare(path).outcome
        #expect(outcome.rows.count { $0.verdict == .fail } == 1 && outcome.blamed?.tensor == "fch")
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

    @Test(arguments: ["JSON", "strings"])
    func whatIsNotMaterialisedIsCounted(_ kind: String) throws {
        let folder = try TemporaryFolder()
        let names = ["activations/h.0.att", "gradients/h.0.datt"]
        let path = try Self.candidate(folder, leaving: Set(kind == "JSON" ? names : [names[0]]))
        if kind == "JSON" {
            try Self.absent(names, in: path)
        } else {
            try File(updating: path).setAttribute("not_materialised", of: "/", to: names[0])
        }
        let found = try Self.compare(path)
        #expect(found.outcome.verdict == .pass && found.misfit == nil)
        #expect(found.notMaterialised == (kind == "JSON" ? names : [names[0]]))
        #expect(found.outcome.fixtures[0].leftOut == found.notMaterialised.count)
    }

    @Test(arguments: [("NaN", "error inf"), ("zeros", "every element, zero")])
    func doesNotHold(_ damage: String, says: String) throws {
        let folder = try TemporaryFolder()
        let path = try Self.candidate(folder) { tensor, values, _ in
            guard tensor == "activations/h.0.ln1" else { return }
            if damage == "NaN" { values[5] = .nan } else { values = values.map { _ in 0 } }
        }
        let found = try Self.compare(path)
        let failures = found.outcome.rows.filter { $0.verdict == .fail }
        #expect(found.outcome.verdict == .fail && failures.count == 1 && found.misfit == nil)
        #expect(failures[0].finding.contains(says), "\(failures[0].finding)")
    }

    /// What has not the form of the reference is said once, with the remedy, and blames no kernel; the rest is judged.
    @Test(arguments: [
        ("flattened", "1 flattened, such as activations/h.0.ln1 of [630] for [2, 21, 15]", "with all their axes"),
        ("axis", "1 with other axes of 1, such as activations/h.0.ln1 of [1, 2, 21, 15]", "leave out the axes of 1"),
        ("shape", "1 of another shape, such as activations/h.0.ln1 of [2, 21]", "tokens and sizes"),
        ("turned", "10 transposed, such as gradients/dtransformer.h.1.mlp.c_proj.weight of [60, 15]", "(out, in)"),
        ("type", "1 of a type that is not judged, such as activations/h.0.ln1, which holds int32", "as float32"),
        ("missing", "1 missing, and not named as not materialised, such as activations/h.0.ln1", "or name them"),
        ("stranger", "1 unknown to it, such as activations/h.2.ln1", "leave them out"),
        ("named stranger", "1 unknown to it, such as activations/h.2.ln1", "leave them out"),
        ("named and there", "1 named as not materialised, and there, such as activations/h.0.ln1", "take them out"),
        ("slashes", "80 under other names, such as activations/h/0/ln1 for activations/h.0.ln1", "write a '.'"),
        ("bare", "such as gradients/dln_f.bias for gradients/dtransformer.ln_f.bias", "write 'transformer.' before"),
        ("without d", "28 under other names, such as gradients/transformer.ln_f.bias for", "write a 'd' before"),
        ("wrapped", "such as gradients/d_orig_mod.transformer.ln_f.bias for", "leave out '_orig_mod.'"),
    ])
    func doesNotFit(_ form: String, says: String, remedy: String) throws {
        let folder = try TemporaryFolder()
        let path = try Self.candidate(
            folder, leaving: ["missing", "type"].contains(form) ? ["activations/h.0.ln1"] : []
        ) {
            tensor, values, shape in
            if form == "turned", tensor.hasPrefix("gradients/dtransformer"), shape.count == 2 { shape.reverse() }
            guard tensor == "activations/h.0.ln1" else { return }
            switch form {
            case "flattened": shape = [values.count]
            case "axis": shape.insert(1, at: 0)
            case "shape": (values, shape) = (Array(values.prefix(42)), [2, 21])
            default: break
            }
        } name: { tensor in
            switch form {
            case "slashes": tensor.replacing(#/h\.(\d)\./#) { "h/\($0.output.1)/" }
            case "bare": tensor.replacing("transformer.", with: "")
            case "without d": tensor.replacing("dtransformer.", with: "transformer.")
            case "wrapped": tensor.replacing("dtransformer.", with: "d_orig_mod.transformer.")
            default: tensor
            }
        }
        switch form {
        case "type":
            try File(updating: path).createDataset("activations/h.0.ln1", of: Int32.self, shape: [2, 21, 15]).write(
                [Int32](repeating: 0, count: 630))
        case "stranger":
            try File(updating: path).createDataset("activations/h.2.ln1", of: Float.self, shape: [1]).write(
                [1] as [Float])
        case "named stranger": try Self.absent(["activations/h.2.ln1"], in: path)
        case "named and there": try Self.absent(["activations/h.0.ln1"], in: path)
        default: break
        }
        let found = try Self.compare(path)
        let misfit = try #require(found.misfit)
        #expect(misfit.file == path && misfit.problem.contains(says), "\(misfit.problem)")
        #expect(misfit.remedy.contains(remedy) && !misfit.description.contains("\n"), "\(misfit.remedy)")
        let outcome = found.outcome
        let failures = outcome.rows.filter { $0.verdict == .fail }
        #expect(outcome.verdict == .fail && failures.map(\.tensor) == ["form"])
        #expect(outcome.blamed?.explanation.contains("no kernel") == true)
        #expect(outcome.fixtures[0].compared == outcome.rows.count - 1 && outcome.fixtures[0].compared > 10)
    }

    @Test func whatFitsIsJudgedBesideWhatDoesNot() throws {
        let folder = try TemporaryFolder()
        let path = try Self.candidate(folder) { tensor, values, shape in
            if tensor == "activations/h.0.ln1" { shape = [values.count] }
            if tensor == "activations/h.1.fch" { values[3] += 0.01 }
        }
        let found = try Self.compare(path)
        #expect(found.misfit != nil && found.outcome.blamed?.tensor == "fch")
        let run = try Run("verify", ["compare", Self.reference, path, "--report", folder.path])
        #expect(run.code == 2 && run.output.contains("Blamed: fch of tiny h.1 is the first divergence"))
        #expect(
            run.errors.hasPrefix("verify: \(path): the form is not the reference's") && run.output.contains("FAIL: 2"))
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
        #expect(refusal(path).contains("neither a JSON array of names"))
        _ = try Self.candidate(folder, name: { "model/" + $0 })
        #expect(
            refusal(path).contains("95 under other names, such as model/activations/encoded for activations/encoded"))
        #expect(refusal(path).contains("leave out the group model around them"))
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
