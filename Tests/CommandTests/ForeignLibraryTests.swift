import Foundation
import Platform
import Reporting
import TestSupport
import Testing

/// `verify --kernels ./lib.so` on the example library, as it is and with faults, each in the child process where it
/// belongs.
@Suite(.serialized)
struct ForeignLibraryTests {
    @Test func exampleHolds() throws {
        let (run, report) = try ExampleLibrary().verify()
        #expect(run.code == 0 && run.errors.isEmpty)
        #expect(run.output.contains("libmine.so: 21 of 21 kernels"))
        #expect(report.compared > 1000 && report.libraries.first?.missing == [])
        #expect(
            run.output.split(separator: "\n").allSatisfy {
                $0.count <= 80 || $0.contains("reports") || $0.contains("/")
            })
    }

    @Test func missingFunctionsAreNamed() throws {
        let library = try ExampleLibrary(flags: ["-Dgelu_forward=other", "-Dadamw_update=another"])
        let (run, report) = try library.verify(["--mode", "isolated", "--mode", "chained"])
        #expect(run.code == 0)
        #expect(run.output.contains("19 of 21 kernels; not provided"))
        #expect(report.libraries.first?.missing == ["gelu forward", "adamw update"])
        // Alone it is not judged; in the model the reference stands in.
        let rows = report.rows.filter { ($0.operation, $0.pass) == ("gelu", "forward") }
        #expect(!rows.isEmpty && rows.allSatisfy { $0.isOfState && $0.implementation == "reference" })
    }

    struct Fault: CustomTestStringConvertible {
        let kernel: String
        let finding: String
        let text: String
        let replacement: String
        var testDescription: String { "\(kernel): \(finding)" }
    }

    static let faults = [
        Fault(
            kernel: "gelu forward", finding: "every element", text: "0.5f * inp[i]",
            replacement: "0.501f * inp[i]"),
        Fault(
            kernel: "residual forward", finding: "wrote past the argument's end", text: "out[i] = inp1[i] + inp2[i];",
            replacement: "out[i] = inp1[i] + inp2[i];\n    out[N] = 0;"),
        Fault(
            kernel: "softmax forward", finding: "read past the argument's end", text: "float *p = probs + row * Vp;",
            replacement: "float *p = probs + row * Vp;\n        (void)*(const volatile float *)(x + Vp);"),
        Fault(
            kernel: "residual backward", finding: "did not return", text: "        dinp1[i] += dout[i];",
            replacement: "        for (volatile int forever = 1; forever;) {}"),
        Fault(
            kernel: "layernorm forward", finding: "crashed on a null pointer", text: "float m = 0, v = 0;",
            replacement: "float m = *(volatile float *)0, v = 0;"),
        Fault(
            kernel: "adamw update", finding: "ended its process, with exit code 3, saying 'giving up",
            text: "float correction1",
            replacement:
                "extern void exit(int), perror(const char *);\n    perror(\"giving up\"), exit(3);\n    float correction1"
        ),
        Fault(
            kernel: "crossentropy forward", finding: "changed its input", text: "losses[row] = -logf",
            replacement: "((float *)probs)[0] += 1, losses[row] = -logf"),
        // It answers from memory: what it saw first.
        Fault(
            kernel: "encoder forward", finding: "expected", text: "float *token = wte + (index)inp[row] * C",
            replacement: "float *token = wte + (index)remembered(inp[row]) * C"),
    ]

    @Test(arguments: faults)
    func faultsAreFound(_ fault: Fault) throws {
        let (run, report) = try ExampleLibrary(replacing: fault.text, by: fault.replacement).verify([
            "--mode", "isolated", "--only", "crossentropy_softmax,\(fault.kernel.split(separator: " ")[0])",
        ])
        #expect(run.code == 1)
        #expect(report.blamed.map { "\($0.operation ?? "") \($0.pass ?? "")" } == fault.kernel)
        let failures = report.rows.filter { $0.verdict == .fail }
        #expect(failures.contains { $0.finding.contains(fault.finding) }, "\(failures.first?.finding ?? "none")")
        // The others are judged, and hold.
        let kernels = Set(failures.filter { !$0.isOfState }.map { "\($0.operation) \($0.pass)" })
        #expect(kernels == [fault.kernel])
        #expect(report.rows.contains { $0.operation == "crossentropy_softmax" })
    }

    struct Straying: CustomTestStringConvertible {
        let testDescription, code: String
        let finding: String?
    }

    static let strayings = [
        Straying(
            testDescription: "a fork that goes on", code: "int p = fork(); if (p == 0) for (;;) pause(); note(p);",
            finding: "left a process running"),
        Straying(
            testDescription: "a daemon",
            code: """
                int s, p = fork(); if (p == 0) { setsid(); int d = fork(); if (d == 0) for (;;) pause(); note(d); _exit(0); }
                waitpid(p, &s, 0);
                """,
            finding: "left a process running"),
        Straying(
            testDescription: "a fork that comes back as well", code: "int p = fork(); if (p != 0) note(p);",
            finding: "left a process running"),
        Straying(
            testDescription: "a program, and a crash",
            code: "system(\"setsid sleep 600 & echo $! >> \" FOLDER \"/processes\"); *(volatile int *)0 = 1;",
            finding: "null pointer; the kernel left a process running"),
        Straying(
            testDescription: "a program that it waits for",
            code: "int p = fork(), status; if (p == 0) _exit(0); note(p); waitpid(p, &status, 0);", finding: nil),
    ]

    @Test(arguments: strayings)
    func whatIsLeftRunningIsEnded(_ straying: Straying) throws {
        let library = try ExampleLibrary(replacing: "float correction1", by: straying.code + "\n    float correction1")
        let (run, report) = try library.verify(["--fixture", "fixtures/kernels/adamw.h5"])
        #expect(run.code == (straying.finding == nil ? 0 : 1), "\(run.output)")
        if let finding = straying.finding {
            #expect(report.blamed?.operation == "adamw" && report.blamed?.explanation.contains(finding) == true)
        }
        let processes = try library.processes()
        #expect(!processes.isEmpty)
        for process in processes { #expect(!Self.isRunning(process)) }
    }

    /// Whether a process is there, and not only to be waited for.
    private static func isRunning(_ process: pid_t) -> Bool {
        let line = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        return line?.split(separator: ")").last.map { !$0.hasPrefix(" Z") } ?? false
    }

    /// `verify` is killed while a kernel runs that has started others: nothing outlives it.
    @Test func nothingOutlivesTheJudge() throws {
        let library = try ExampleLibrary(
            replacing: "float correction1",
            by: """
                int p = fork();
                    if (p == 0) for (;;) pause();
                    note(p), note(getpid());
                    system("setsid sleep 600 & echo $! >> " FOLDER "/processes");
                    kill(getppid(), SIGKILL);
                    for (;;) pause();
                    float correction1
                """)
        let run = try Run(
            "verify",
            ["--kernels", library.path, "--fixture", "fixtures/kernels/adamw.h5", "--report", library.folder.path])
        #expect(run.code == -SIGKILL)
        let processes = try library.processes()
        #expect(processes.count == 3)
        // Their end takes a moment.
        for _ in 0..<500 where processes.contains(where: Self.isRunning) { usleep(10_000) }
        for process in processes { #expect(!Self.isRunning(process)) }
    }

    static let lacks: [(limits: String, says: String?)] =
        [("ulimit -n 6", "ulimit -n is 6; raise it"), ("ulimit -n 24", nil)]
        + (canLimitProcesses ? [(asUser("prlimit --nproc=1"), "ulimit -u is 1; raise it")] : [])

    /// The number of processes is not limited for root, who becomes another user.
    private static func asUser(_ limits: String) -> String {
        let user = getuid() == 0 ? "setpriv --reuid 54321 --regid 54321 --clear-groups " : ""
        return "exec \(user)\(limits) \"$0\" \"$@\""
    }

    /// Whether that user may run the binaries, wherever the checkout lies.
    private static let canLimitProcesses = (try? Run("verify", ["--help"], limits: asUser("prlimit")))?.code == 0

    /// What the harness lacks is no fault of a kernel's.
    @Test(arguments: lacks)
    func lacksAreNoKernelsFault(_ limits: String, _ says: String?) throws {
        let library = try ExampleLibrary()
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: library.folder.path)
        let run = try Run(
            "verify",
            ["--kernels", library.path, "--mode", "isolated", "--only", "gelu", "--report", library.folder.path],
            limits: limits)
        #expect(run.code == (says == nil ? 0 : 2), "\(run.output)\(run.errors)")
        if let says {
            #expect(run.errors.contains(says) && run.errors.split(separator: "\n").count == 1, "\(run.errors)")
        }
    }

    @Test func killedFromOutside() throws {
        let library = try ExampleLibrary(
            replacing: "float correction1", by: "kill(getpid(), SIGKILL);\n    float correction1")
        let run = try Run(
            "verify",
            ["--kernels", library.path, "--fixture", "fixtures/kernels/adamw.h5", "--report", library.folder.path])
        #expect(run.code == 2 && run.output.isEmpty)
        #expect(run.errors.contains("adamw update of \(library.path) was killed from outside"), "\(run.errors)")
    }

    #if arch(x86_64)
        @Test func flushToZeroAtLoad() throws {
            let library = try ExampleLibrary(
                replacing: "typedef ptrdiff_t index;",
                by: """
                    typedef ptrdiff_t index;
                    #include <xmmintrin.h>
                    __attribute__((constructor)) static void load(void) { _mm_setcsr(_mm_getcsr() | 0x8040); }
                    """)
            let (run, report) = try library.verify(["--only", "gelu,encoder"])
            #expect(run.code == 1)
            #expect(report.rows.filter { $0.verdict == .fail }.map(\.operation) == ["library"])
            #expect(report.blamed?.explanation.contains("switches on flush to zero") == true)
        }
    #endif

    @Test func unusable() throws {
        let library = try ExampleLibrary(flags: foreignNames.map { "-D\($0)=other_\($0)" })
        let text = library.folder("text.so")
        try "no library".write(toFile: text, atomically: true, encoding: .utf8)
        for (path, says) in [
            (library.path, "exports no function"), (text, "cannot be loaded"),
            ("./no/such.so", "there is no such file"),
        ] {
            let run = try Run("verify", ["--kernels", path, "--report", library.folder.path])
            #expect(run.code == 2 && run.output.isEmpty)
            #expect(run.errors.contains(says) && run.errors.split(separator: "\n").count == 1, "\(run.errors)")
        }
        let bench = try Run("bench", ["--peers", text, "--report", library.folder.path])
        #expect(bench.code == 2 && bench.errors.contains("cannot be loaded"))
    }

    private var foreignNames: [String] {
        get throws {
            try String(contentsOfFile: packageRoot + "/include/plumbline_kernels.h", encoding: .utf8)
                .matches(of: /void ([a-z_]+)\(/).map { String($0.1) }
        }
    }

    @Test func isTimedAsAPeer() throws {
        let library = try ExampleLibrary()
        let run = try Run(
            "bench",
            [
                "--kernels", "fast", "--peers", library.path, "--only", "gelu", "--shapes", "odd", "--threads", "1",
                "--report", library.folder.path,
            ])
        #expect(run.code == 0, "\(run.errors)")
        #expect(run.output.contains("libmine.so"))
        let data = try library.folder.data("bench.json")
        #expect(try RecordSchema("bench").problems(in: data) == [])
        let report = try JSON.report(BenchmarkReport.self, from: data)
        #expect(report.rows.allSatisfy { $0.timings.last?.seconds != nil && $0.timings.last?.isWrong == false })
    }
}

extension ExampleLibrary {
    /// The processes that it noted.
    fileprivate func processes() throws -> [pid_t] {
        String(decoding: try folder.data("processes"), as: UTF8.self).split(separator: "\n").compactMap {
            pid_t($0)
        }
    }

    /// What `verify` makes of it.
    fileprivate func verify(_ flags: [String] = []) throws -> (Run, VerificationReport) {
        let run = try Run("verify", ["--kernels", path, "--report", folder.path] + flags)
        let data = try folder.data("verify.json")
        #expect(try RecordSchema("verify").problems(in: data) == [])
        return (run, try JSON.report(VerificationReport.self, from: data))
    }
}
