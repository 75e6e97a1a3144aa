import Foundation
import HDF5
import Platform
import Reporting
import TestSupport
import Testing

/// `verify --case`, `--dump` and `--shapes`, and what a run says of the cases that failed.
struct CaseCommandTests {
    /// A tensor of a kernel in a mode.
    private static func place(_ row: ComparisonRow) -> String {
        "\(row.operation) \(row.pass) \(row.mode) \(row.case) \(row.tensor)"
    }

    private static func report(_ folder: TemporaryFolder) throws -> VerificationReport {
        let data = try folder.data("verify.json")
        #expect(try RecordSchema("verify").problems(in: data) == [])
        return try JSON.report(VerificationReport.self, from: data)
    }

    /// The commands that a run showed, each as a person copies it, its broken lines put together again by the shell.
    private static func commands(in output: String) -> [String] {
        output.replacing(#/ \\\n +/#, with: " ").matches(of: /repeat: (.*)/).map { String($0.1) }
    }

    /// A terminal of 80 columns shows each line in one; but a command's words stay whole.
    private static func expectNarrow(_ output: String, but path: String) {
        for line in output.split(separator: "\n") where !line.contains(path) && !line.contains("drawn:") {
            #expect(line.count <= 80, "\(line)")
        }
    }

    // MARK: - Repeating a failure

    /// The last channel is 1 % off where there are 768.
    private static func library() throws -> ExampleLibrary {
        try ExampleLibrary(
            replacing: "out[row * C + c] = (x[c] - m)",
            by: "out[row * C + c] = (c == 767 && C == 768 ? 1.01f : 1) * (x[c] - m)")
    }

    /// Each command that a failing run shows is run by a shell as it stands, and fails in the same tensor.
    @Test func whatARunShowsRepeatsItsFailure() throws {
        let library = try Self.library()
        let whole = try Run(
            "verify",
            [
                "--kernels", library.path, "--only", "layernorm", "--mode", "drawn", "--seed", "5", "--report",
                library.folder.path,
            ])
        #expect(whole.code == 1, "\(whole.output)\(whole.errors)")
        Self.expectNarrow(whole.output, but: library.folder.path)
        let failures = try Self.report(library.folder).rows.filter { $0.verdict == .fail }
        let commands = Self.commands(in: whole.output)
        #expect(commands.count >= 3)
        // What is to blame, how to see it again and the verdict are the last lines.
        let blame = try #require(whole.output.range(of: "\nBlamed: layernorm forward"))
        let last = whole.output[blame.upperBound...].split(separator: "\n")
        #expect(last.count <= 8 && last.contains { $0.hasPrefix("repeat: ") } && last.last?.hasPrefix("FAIL: ") == true)
        for command in Set(commands) {
            let row = try #require(failures.first { $0.repetition == command })
            #expect(command.hasPrefix("swift run verify --kernels \(library.path) --case layernorm/forward/drawn:"))
            let again = try TemporaryFolder()
            let words = command.replacing("swift run verify", with: Run.binaries.path + "/verify")
            let run = try Run("/bin/sh", ["-c", "\(words) --report \(again.path)"])
            #expect(run.code == 1, "\(run.output)\(run.errors)")
            let alone = try Self.report(again).rows.filter { $0.verdict == .fail }
            #expect(alone.map(Self.place) == [Self.place(row)])
            #expect(alone[0].worst == row.worst && alone[0].measure?.index == row.measure?.index)
        }
    }

    @Test func aFixturesCaseRepeatsItsFailure() throws {
        let library = try ExampleLibrary(replacing: "0.5f * inp[i]", by: "0.501f * inp[i]")
        let run = try Run("verify", ["--kernels", library.path, "--only", "gelu", "--report", library.folder.path])
        #expect(run.code == 1)
        Self.expectNarrow(run.output, but: library.folder.path)
        let report = try Self.report(library.folder)
        let command = try #require(Self.commands(in: run.output).last)
        #expect(command.contains(" --case gelu/forward/") && !command.contains("--seed"))
        // What a model makes of it is repeated by its mode.
        let chained = report.rows.first { $0.verdict == .fail && $0.mode == .chained }
        #expect(chained?.repetition == "swift run verify --kernels \(library.path) --mode chained")
        #expect(report.rows.allSatisfy { ($0.repetition == nil) == ($0.verdict == .pass) })
        let again = try TemporaryFolder()
        let alone = try Run(
            "/bin/sh",
            [
                "-c",
                command.replacing("swift run verify", with: Run.binaries.path + "/verify") + " --report \(again.path)",
            ])
        #expect(alone.code == 1)
        let rows = try Self.report(again).rows
        #expect(
            rows.count == 1
                && rows.map(Self.place) == report.rows.prefix { $0.verdict == .fail }.prefix(1).map(Self.place))
    }

    /// In GitHub Actions an annotation says so too.
    @Test func annotationsSayHowToRepeat() throws {
        let library = try ExampleLibrary(replacing: "0.5f * inp[i]", by: "0.501f * inp[i]")
        let run = try Run(
            "verify",
            [
                "--kernels", library.path, "--fixture", "fixtures/kernels/gelu.h5", "--report", library.folder.path,
                "--threads", "1",
            ], environment: ["GITHUB_ACTIONS": "true"])
        let annotation = try #require(run.output.split(separator: "\n").first { $0.hasPrefix("::error ") })
        #expect(
            annotation.contains(
                "%0Arepeat: swift run verify --kernels \(library.path) --threads 1 --fixture fixtures/kernels/gelu.h5 "
                    + "--case gelu/forward/"))
    }

    // MARK: - One case

    @Test(arguments: [
        ("matmul/backward/primes", ["dinp", "dweight", "dbias"]),
        ("matmul/primes", ["out", "dinp", "dweight", "dbias"]),
        ("adamw/one", ["params", "m", "v"]), ("matmul/backward/drawn:B=1,T=3,C=65,OC=2,-dbias", ["dinp", "dweight"]),
        ("attention/forward/drawn:B=1,T=5,C=6,NH=2", ["out", "preatt", "att"]),
    ])
    func oneCase(_ name: String, _ tensors: [String]) throws {
        let folder = try TemporaryFolder()
        let run = try Run("verify", ["--case", name, "--report", folder.path])
        #expect(run.code == 0 && run.errors.isEmpty, "\(run.output)\(run.errors)")
        let report = try Self.report(folder)
        #expect(report.rows.map(\.tensor) == tensors && report.rows.allSatisfy { name.hasSuffix($0.case) })
        #expect(report.rows.map(\.operation).allSatisfy { name.hasPrefix($0) } && report.blamed == nil)
        for tensor in tensors { #expect(run.output.contains("  \(tensor) ")) }
    }

    /// The report of the whole run stays.
    @Test func oneCaseWritesNoReport() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(
            atPath: folder("fixtures"), withDestinationPath: packageRoot + "/fixtures")
        let run = try Run("verify", ["--case", "gelu/bend"], in: folder.path)
        #expect(run.code == 0 && folder.names() == ["fixtures"])
    }

    @Test(arguments: [
        ("matmil/primes", "no operation is called 'matmil' (did you mean matmul?)"),
        ("matmul/sideways/primes", "matmul has no pass 'sideways' (there are forward, backward)"),
        ("matmul/prims", "matmul has no case 'prims' (did you mean primes?)"),
        ("gelu/forward/some-other-thing", "gelu forward has no case 'some-other-thing' (there are bend, edges, "),
        ("gelu", "gelu has no case '' (there are bend, edges, "),
        ("gelu/forward/", "cannot read 'gelu/forward/'"), ("a/b/c/d", "cannot read 'a/b/c/d'"),
        ("matmul/forward/drawn:B=1,T=3,C=65", "the size OC is not given"),
        ("matmul/forward/drawn:B=1,T=3,C=65,OD=2", "has no size 'OD' (did you mean OC?)"),
        ("matmul/forward/drawn:B=1,T=3,C=65,OC=0", "OC is 0, and must be at least 1"),
        ("matmul/forward/drawn:B=1,T=3,C=65,OC=-2", "OC needs a whole number of at most 2147483647, not '-2'"),
        ("gelu/forward/drawn:N=5,values=had", "there are no values called 'had' (did you mean hard?)"),
        ("matmul/forward/drawn:B=1,B=1", "B is given twice"),
        ("attention/forward/drawn:B=1,T=3,C=65,NH=2", "C is 65, and must be a multiple of 2, which is NH"),
        ("softmax/drawn:B=1,T=1,V=9,Vp=8", "Vp is 8, and must be at least 9, which is V"),
        ("matmul/forward/drawn:bias", "cannot read 'bias'; write the sizes, such as drawn:B=1,T=1,C=1,OC=1"),
        ("matmul/forward/drawn:B=1,T=3,C=65,OC=2,-weight", "no argument 'weight' that a call can go without"),
        ("matmul/backward/drawn:B=1,T=3,C=65,OC=2,overwrites=all", "(there are activations, parameters)"),
        ("gelu/forward/drawn:N=2147483647", "GB; choose smaller ones"),
        ("matmul/forward/drawn:B=2147483647,T=2147483647,C=2147483647,OC=2147483647", "is too large"),
    ])
    func noSuchCase(_ name: String, says: String) throws {
        let run = try Run("verify", ["--case", name])
        #expect(run.code == 2 && run.output.isEmpty)
        #expect(run.errors.hasPrefix("verify: --case: ") && run.errors.contains(says), "\(run.errors)")
        #expect(run.errors.split(separator: "\n").count == 1)
    }

    @Test(arguments: [
        (["--case", "gelu/bend", "--only", "gelu"], "--only does not go with --case"),
        (["--case", "gelu/bend", "--mode", "drawn"], "--mode does not go with --case"),
        (["--case", "gelu/bend", "--shapes", "odd"], "--shapes does not go with --case"),
        (["--case", "gelu/drawn:N=3", "--fixture", "fixtures/tiny.h5"], "--fixture does not go with a drawn case"),
        (["--case", "gelu/bend", "--fixture", "fixtures/kernels/matmul.h5"], "gelu/bend was not tried: no fixture"),
        (["--dump", "case.h5"], "--dump writes one case; name it with --case"),
        (["--case", "matmul/primes", "--dump", "case.h5"], "name one pass, such as matmul/forward/primes"),
        (["--case", "gelu/forward/bend", "--dump", "/dev/null/case.h5"], "cannot be written"),
        (["--case", "gelu/forward/conduct", "--dump", "case.h5"], "this case has more calls than one"),
        (["--shapes", "124M"], "--shapes: cannot read '124M'"),
        (["--shapes", "odd", "--mode", "chained"], "--shapes are those of the mode drawn"),
    ])
    func unusable(_ arguments: [String], says: String) throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(
            atPath: folder("fixtures"), withDestinationPath: packageRoot + "/fixtures")
        let run = try Run("verify", arguments, in: folder.path)
        #expect(run.code == 2 && run.output.isEmpty)
        #expect(run.errors.hasPrefix("verify: ") && run.errors.contains(says), "\(run.errors)")
        #expect(run.errors.split(separator: "\n").count == 1 && folder.names() == ["fixtures"])
    }

    /// A library that lacks the kernel is not what a case can judge.
    @Test func aKernelThatIsNotThere() throws {
        let library = try ExampleLibrary(flags: ["-Dgelu_forward=other"])
        let run = try Run("verify", ["--kernels", library.path, "--case", "gelu/forward/bend"])
        #expect(run.code == 2 && run.errors.contains("\(library.path) has no such kernel"), "\(run.errors)")
    }

    // MARK: - Looking at one

    /// What is dumped is what was judged: the largest error over its bound is that of the report.
    @Test(arguments: [
        "matmul/backward/primes", "matmul/backward/drawn:B=2,T=3,C=65,OC=2,-dbias",
        "attention/forward/drawn:B=1,T=5,C=6,NH=2", "gelu/backward/drawn:N=33,overwrites=activations",
        "encoder/forward/drawn:B=2,T=3,C=4,V=5,P=6",
    ])
    func dumps(_ name: String) throws {
        let folder = try TemporaryFolder()
        let run = try Run(
            "verify", ["--case", name, "--dump", folder("case.h5"), "--report", folder.path, "--kernels", "fast"])
        #expect(run.code == 0, "\(run.output)\(run.errors)")
        let report = try Self.report(folder)
        let file = try File(reading: folder("case.h5"))
        #expect(try file.children(of: "/") == ["inputs", "results"])
        #expect(try file.textAttribute("case", of: "/") == report.rows[0].case)
        #expect(try file.textAttribute("implementation", of: "/") == "fast")
        #expect(try file.children(of: "results") == report.rows.map(\.tensor).sorted())
        for row in report.rows {
            let group = "results/\(row.tensor)"
            let answer = try file.dataset("\(group)/answer").read(Float.self)
            let truth = try file.dataset("\(group)/truth").read(Double.self)
            let bound = try file.dataset("\(group)/bound").read(Double.self)
            let compared = bound.indices.filter { !bound[$0].isNaN }
            #expect(compared.count == row.measure?.count)
            let worst = compared.map { abs(Double(answer[$0]) - truth[$0]) / bound[$0] }.max()
            #expect(worst == row.worst, "\(row.tensor)")
            #expect(file.exists("\(group)/initial") == (row.tensor.hasPrefix("d") && !name.contains("overwrites")))
            #expect(file.exists("\(group)/torch") == !name.contains("drawn:"))
        }
        guard let python = Python.with(["h5py", "numpy"]) else { return }
        let script = """
            import h5py, numpy, sys
            with h5py.File(sys.argv[1]) as f:
                for name, result in f["results"].items():
                    error = abs(result["answer"][:] - result["truth"][:]) / result["bound"][:]
                    print(name, repr(float(numpy.nanmax(error))))
            """
        let read = try Run(python, ["-c", script, folder("case.h5")])
        let lines = read.output.split(separator: "\n").map(String.init)
        #expect(lines.sorted() == report.rows.map { "\($0.tensor) \($0.worst)" }.sorted(), "\(read.errors)")
    }

    // MARK: - Shapes

    @Test func shapes() throws {
        let folder = try TemporaryFolder()
        let run = try Run("verify", ["--shapes", "tiny:2x5,odd", "--only", "gelu,matmul", "--report", folder.path])
        #expect(run.code == 0, "\(run.output)\(run.errors)")
        let report = try Self.report(folder)
        #expect(report.rows.allSatisfy { $0.mode == .drawn })
        #expect(Set(report.rows.map { "\($0.operation) \($0.pass)" }).count == 4)
        // 2 · 5 · 4 · 15 and 3 · 37 · 4 · 771 elements.
        let gelu = try #require(report.rows.first { $0.operation == "gelu" })
        #expect(gelu.calls == 2 && gelu.measure?.count == 2 * 5 * 4 * 15 + 3 * 37 * 4 * 771)
    }
}
