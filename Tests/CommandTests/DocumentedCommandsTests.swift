import Foundation
import HDF5
import TestSupport
import Testing

/// Every command that a `--help`, the README or a page of docs shows is run, or says in one line what it lacks here.
@Suite(.serialized, Workplace.Given())
struct DocumentedCommandsTests {
    /// How a documented command is run here.
    struct Way: Sendable {
        /// Words that would take long, and what is there in their place.
        var replacing: [String: String] = [:]
        /// What is added, so that it takes seconds.
        var adding = ""
        /// How the one line begins that says what is not here, such as a file of llm.c's; nil where all is here.
        var lacks: String?
        /// Whether a peer may be missing on this machine: the line then says what gets it.
        var hasPeers = false
    }

    private static let short = "--shapes tiny:1x8 --threads 1 --budget 0.001"
    /// What the whole of `verify` says is for other tests.
    private static let one = "--only gelu"

    private static let ways: [String: Way] = [
        "verify": Way(adding: one),
        "verify --kernels reference --only attention": Way(adding: "--mode isolated"),
        "verify --kernels reference --only gelu,layernorm": Way(),
        "verify --mode isolated,chained,training": Way(),
        "verify --mode drawn --only matmul": Way(replacing: ["matmul": "gelu"]),
        "verify --shapes 124M:4x64 --only gelu,residual": Way(),
        "verify --case gelu/forward/bend": Way(),
        "verify --case matmul/primes": Way(),
        "verify --case matmul/forward/drawn:B=1,T=3,C=65,OC=2": Way(),
        "verify --case matmul/backward/drawn:B=1,T=3,C=65,OC=2,-dbias,overwrites=activations --seed 7": Way(),
        "verify --case gelu/backward/bend --dump bend.h5": Way(),
        "verify --kernels ./libmine.so --case gelu/backward/bend --dump bend.h5": Way(),
        "verify --kernels ./libkernels.so --case gelu/forward/bend": Way(),
        "verify --kernels ./libmine.so": Way(adding: one),
        "verify --kernels ./libkernels.so": Way(adding: one),
        "verify --kernels ./libkernels.so --only gelu --mode isolated": Way(),
        "verify --kernels fast,matmul=./libkernels.so": Way(adding: "--only matmul --mode isolated"),
        "verify --fixture fixtures/generated/124M.h5": Way(lacks: "fixtures/generated/124M.h5: there is no such file"),
        "verify --only gelu": Way(),
        "verify --model gpt2_124M.bin --state gpt2_124M_debug_state.bin": Way(lacks: "gpt2_124M_debug_state.bin: "),
        "verify --model gpt2_124M.bin --state gpt2_124M_debug_state.bin --kernels fast": Way(
            lacks: "gpt2_124M_debug_state.bin: "),
        "verify compare fixtures/tiny.h5 candidate.h5": Way(),
        "verify compare REFERENCE.h5 CANDIDATE.h5": Way(lacks: "REFERENCE.h5: there is no such file"),
        "verify gradcheck": Way(),
        "verify gradcheck --kernels reference --only gelu": Way(),
        "bench": Way(adding: "--only gelu,step " + short),
        "bench --only gelu": Way(adding: short),
        "bench --peers torch": Way(adding: "--only gelu,step " + short, hasPeers: true),
        "bench --peers torch,onednn,openblas": Way(adding: "--only matmul,step " + short, hasPeers: true),
        "bench --peers ./libkernels.so --only matmul": Way(adding: short),
        "bench --only matmul --shapes 1558M:1x64,odd --threads 1": Way(adding: "--kernels fast --budget 0.000001"),
        "bench --kernels fast --peers openblas --only matmul --shapes 124M:1x64 --threads 1": Way(
            adding: "--budget 0.001", hasPeers: true),
        "bench gate --base origin/main": Way(lacks: "gate: this is no git checkout"),
        "bench gate --base HEAD~1 --only gelu": Way(lacks: "gate: this is no git checkout"),
        "train": Way(adding: "--steps 3"),
        "train --text books --steps 5000": Way(replacing: ["5000": "3"]),
        "train --resume checkpoints/train.h5": Way(adding: "--steps 5"),
        "train --model 124M --tokenizer gpt2 --data a.bin b.bin --accumulate 8": Way(
            replacing: ["124M": "tiny"], adding: "--steps 2 --batch 2 --sequence 16"),
        "train --model 124M --tokenizer gpt2 --data shard.bin": Way(
            replacing: ["124M": "tiny"], adding: "--steps 2 --batch 2 --sequence 16"),
        "generate --prompt 'func '": Way(adding: "--tokens 9"),
        "generate --checkpoint checkpoints/train.h5 --prompt 'func ' --temperature 0.6 --top-p 0.9 --seed 7": Way(
            adding: "--tokens 9"),
        "generate --checkpoint gpt2_124M.bin --tokenizer gpt2_tokenizer.bin": Way(adding: "--tokens 9"),
    ]

    /// Those that tests of their own run, with fewer trials: they take minutes.
    private static let runElsewhere: Set = ["verify selftest", "bench selftest"]

    // MARK: - What is documented

    private static let modes = [
        "verify": ["", "compare", "gradcheck", "selftest"], "bench": ["", "gate", "selftest", "worker"],
        "train": [""], "generate": [""],
    ]

    /// The examples at the end of every `--help`.
    private static func examples() throws -> Set<String> {
        var examples: Set<String> = []
        for (name, modes) in modes {
            for mode in modes {
                let help = try Run(name, (mode.isEmpty ? [] : [mode]) + ["--help"]).output
                let tail = help.split(separator: "Examples:\n", maxSplits: 1).dropFirst().first ?? ""
                examples.formUnion(tail.matches(of: #/(?m)^  (\S.*)$/#).map { String($0.output.1) })
            }
        }
        return examples
    }

    /// What stands behind `swift run` in the README and in docs, in a block or in a line.
    private static func commands() throws -> Set<String> {
        let docs = try FileManager.default.contentsOfDirectory(atPath: packageRoot + "/docs")
        let pages = ["README.md"] + docs.filter { $0.hasSuffix(".md") }.map { "docs/" + $0 }
        return try pages.reduce(into: []) { commands, page in
            let text = try String(contentsOfFile: "\(packageRoot)/\(page)", encoding: .utf8)
            commands.formUnion(
                text.matches(of: #/swift run ((?:verify|bench|train|generate)\b[^`\n#]*)/#).map {
                    $0.output.1.trimmingCharacters(in: .whitespaces)
                })
        }
    }

    @Test func everyCommandIsRun() throws {
        let (examples, commands) = (try Self.examples(), try Self.commands())
        #expect(examples.count >= 20 && commands.count >= 20)
        let known = Set(Self.ways.keys).union(Self.runElsewhere)
        for command in examples.union(commands).subtracting(known) { Issue.record("nothing runs: \(command)") }
        for command in known.subtracting(examples).subtracting(commands) {
            Issue.record("nothing documents: \(command)")
        }
    }

    // MARK: - Running it

    @Test(arguments: ways.keys.sorted())
    func runs(_ command: String) throws {
        let workplace = try #require(Workplace.current), way = try #require(Self.ways[command])
        let words = command.split(separator: " ").map { way.replacing[String($0)] ?? String($0) }
        let run = try workplace.sh((words + [way.adding]).joined(separator: " "))
        if let lacks = way.lacks {
            #expect(run.code == 2 && run.output.isEmpty)
            #expect(run.errors.hasPrefix("\(words[0]): \(lacks)"), "\(run.errors)")
            #expect(run.errors.split(separator: "\n").count == 1)
        } else if way.hasPeers, run.code == 2 {
            #expect(run.errors.contains(" gets "), "\(run.errors)")
        } else {
            #expect(run.code == 0, "\(run.output)\(run.errors)")
            #expect(!run.output.isEmpty)
            if words[0] != "generate" { #expect(run.errors.isEmpty, "\(run.errors)") }
        }
    }

    // MARK: - Scripts

    @Test func scriptsParse() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: packageRoot + "/scripts")
        let scripts = names.filter { $0.hasSuffix(".sh") }.map { "scripts/" + $0 } + [".ci/run"]
        #expect(scripts.count >= 5)
        for script in scripts {
            #expect(FileManager.default.isExecutableFile(atPath: "\(packageRoot)/\(script)"), "\(script)")
            let parsed = try Run("/usr/bin/env", ["bash", "-n", script])
            #expect(parsed.code == 0, "\(parsed.errors)")
        }
    }

    @Test func killedRunsGoOn() throws {
        let run = try Run(
            "/usr/bin/env",
            [
                "python3", "scripts/check_signals.py", "--only", "train", "pairs", "--kills", "3", "--others", "1",
                "--pairs", "1", "--binaries", Run.binaries.path,
            ])
        #expect(run.code == 0 && run.output.hasPrefix("train: 7 signals, nothing lost"), "\(run.errors)")
    }
}

/// A folder with what the commands name.
private final class Workplace: Sendable {
    @TaskLocal static var current: Workplace?

    /// Makes one for a suite, which goes when that ends.
    struct Given: SuiteTrait, TestScoping {
        func provideScope(
            for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
        ) async throws { try await Workplace.$current.withValue(try Workplace()) { try await function() } }
    }

    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        let files = FileManager.default
        for name in ["Sources", "README.md"] {
            try files.copyItem(atPath: "\(packageRoot)/\(name)", toPath: folder(name))
        }
        for name in ["include", "examples", "scripts"] {
            try files.createSymbolicLink(atPath: folder(name), withDestinationPath: "\(packageRoot)/\(name)")
        }
        try files.createDirectory(atPath: folder("fixtures"), withIntermediateDirectories: true)
        for name in ["fixtures/kernels", "fixtures/tiny.h5"] {
            try files.createSymbolicLink(atPath: folder(name), withDestinationPath: "\(packageRoot)/\(name)")
        }
        // What another program would write of its pass; here it is PyTorch's own.
        let source = try File(reading: "\(packageRoot)/fixtures/tiny.h5")
        let candidate = try File(creating: folder("candidate.h5"))
        for group in ["activations", "gradients"] {
            for name in try source.datasets(below: group) where name.hasSuffix("/float32") {
                let dataset = try source.dataset(name)
                try candidate.createDataset(name, of: Float.self, shape: dataset.shape).write(dataset.read(Float.self))
            }
        }
        // The library as docs/foreign_kernels.md builds it.
        let page = try String(contentsOfFile: packageRoot + "/docs/foreign_kernels.md", encoding: .utf8)
        let compiler = try #require(page.firstMatch(of: #/(?m)^cc .*$/#))
        try prepare(String(compiler.output))
        try files.copyItem(atPath: folder("libkernels.so"), toPath: folder("libmine.so"))
        // A text, a vocabulary of the bytes under llm.c's name, shards, and models of both kinds.
        try files.createDirectory(atPath: folder("books"), withIntermediateDirectories: true)
        try folder.write("books/one.txt", (0..<3000).map { "line \($0 % 7) of a book, func \($0)\n" }.joined())
        try files.createDirectory(atPath: folder("gpt2"), withIntermediateDirectories: true)
        var header = [Int32](repeating: 0, count: 256)
        header.replaceSubrange(0..<4, with: [20_240_328, 2, 257, 256])
        var vocabulary = header.withUnsafeBytes { Data($0) }
        for byte in 0...255 { vocabulary.append(contentsOf: [1, UInt8(byte)]) }
        vocabulary.append(0)
        for name in ["gpt2/gpt2_tokenizer.bin", "gpt2_tokenizer.bin"] { try folder.write(name, vocabulary) }
        for name in ["a.bin", "b.bin", "shard.bin"] {
            try prepare("train --write-data \(name) --tokenizer gpt2 --text books")
        }
        try prepare("train --text books --model tiny --batch 2 --sequence 16 --steps 3 --export gpt2_124M.bin")
    }

    private func prepare(_ line: String) throws {
        let run = try sh(line)
        try #require(run.code == 0, "\(line): \(run.errors)")
    }

    /// Runs a line as a shell does that finds the binaries.
    func sh(_ line: String) throws -> Run {
        var environment = ["PATH": Run.binaries.path + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")]
        environment["PLUMBLINE_PYTHON"] = Python.with(Python.torch)
        return try Run("/bin/sh", ["-c", line], in: folder.path, environment: environment)
    }
}
