import Foundation
import TestSupport
import Testing

/// `bench` with peers that crash, end themselves or hang, and when it is ended while they work.
struct BenchWorkersTests {
    /// A library whose `gelu_forward` does so.
    private struct Library {
        let folder: TemporaryFolder
        var path: String { folder("libother.so") }

        init(_ body: String) throws {
            folder = try TemporaryFolder()
            try folder.write(
                "other.c",
                """
                #include <stdio.h>
                #include <stdlib.h>
                #include <unistd.h>
                void gelu_forward(float *out, const float *inp, int N) { \(body) }
                """)
            let compiler = try Run("/usr/bin/env", ["cc", "-shared", "-fPIC", folder("other.c"), "-o", path])
            try #require(compiler.code == 0, "\(compiler.errors)")
        }

        /// The flags that time it, and little else.
        var flags: [String] {
            [
                "--kernels", "fast", "--peers", path, "--only", "gelu", "--shapes", "tiny:1x3", "--threads", "1",
                "--budget", "0.001", "--report", folder("reports"),
            ]
        }
    }

    @Test(arguments: [
        (#"fputs("about to \033[31m\0fall\n", stderr); *(volatile int *)16 = 1;"#, "signal 11"),
        ("exit(3);", "ended with code 3"), ("puts(\"{}\"); fflush(stdout); _exit(0);", "ended with code 0"),
        ("for (;;) pause();", "gave no answer for 10.0 s"),
    ])
    func failingLibrary(_ body: String, says: String) throws {
        let library = try Library(body)
        let run = try Run("bench", library.flags)
        #expect(run.code == 2 && run.output.isEmpty)
        #expect(run.errors.hasPrefix("bench: the worker libother.so: in gelu forward it "))
        #expect(run.errors.contains(says) && run.errors.contains("; verify --kernels \(library.path) says"))
        #expect(!run.errors.contains("Backtrace"))
        #expect(run.errors.dropLast().unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
    }

    /// What a kernel prints is no answer of its worker. Where no temporary file can be written, memory will do.
    @Test func talkativeLibraryAndNoTemporaryFolder() throws {
        let library = try Library("puts(\"hello\"); for (int i = 0; i < N; i++) out[i] = 0 * inp[i];")
        let run = try Run("bench", library.flags, environment: ["TMPDIR": "/no/such/folder/"])
        #expect(run.code == 0, "\(run.errors)")
    }

    /// Whatever ends it, its workers end too, and nothing stays.
    @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGKILL])
    func ended(by signal: Int32) throws {
        let library = try Library("fclose(fopen(getenv(\"READY\"), \"w\")); for (;;) pause();")
        let bench = try RunningCommand("bench", library.flags, environment: ["READY": library.folder("ready")])
        #expect(RunningCommand.wait { FileManager.default.fileExists(atPath: library.folder("ready")) })
        // Itself, the first contestant and its twin, the library's worker, and the guardian of what the library starts.
        #expect(bench.processes.count == 5)
        #expect(bench.end(by: signal) == .signalled(signal))
        #expect(RunningCommand.wait { bench.processes.isEmpty })
        #expect(bench.temporary.names().isEmpty)
    }
}
