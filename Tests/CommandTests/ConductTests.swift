import Foundation
import Platform
import Reporting
import TestSupport
import Testing

/// `verify --mode drawn` on libraries whose kernels compute what they should, and do something besides that they must not:
/// a finding for each, at the kernel that did it.
struct ConductTests {
    struct Fault {
        let kernel, code: String
        /// What is said of it; where it is chance, one of some, with bars between.
        let finding: String
    }

    /// What C code needs for the faults.
    private static let declarations = """
        #include <fcntl.h>
        #include <fenv.h>
        #include <pthread.h>
        #include <signal.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/mman.h>
        #include <sys/resource.h>
        #include <sys/stat.h>
        #include <time.h>
        #include <unistd.h>
        static void *exit_soon(void *unused) { usleep(1000); exit(5); }
        static void *volatile address;
        static volatile double called;
        static double now(void) {
            struct timespec time;
            clock_gettime(CLOCK_MONOTONIC, &time);
            return time.tv_sec + 1e-9 * time.tv_nsec;
        }
        // Writes where it was told to last, as soon as nobody calls any more.
        static void *write_late(void *unused) {
            for (;;) {
                usleep(10000);
                if (address != NULL && now() - called > 0.04) *(volatile float *)address += 1;
            }
        }
        static void start(void *(*body)(void *)) {
            pthread_t thread;
            pthread_create(&thread, NULL, body, NULL);
            pthread_detach(thread);
        }
        #ifdef __x86_64__
        #include <xmmintrin.h>
        static void *flush(void *unused) {
            _mm_setcsr(_mm_getcsr() | 0x8040);
            for (;;) pause();
        }
        #endif
        """

    static let leavings: [Fault] = [
        Fault(
            kernel: "residual forward",
            code: "float x = inp1[0]; *(volatile float *)inp1 = x + 1; *(volatile float *)inp1 = x;",
            finding: "inp1: the kernel wrote to its input"),
        Fault(
            kernel: "residual backward", code: "feenableexcept(FE_DIVBYZERO);",
            finding: "left floating-point exceptions unmasked"),
        Fault(
            kernel: "gelu forward", code: "signal(SIGFPE, SIG_IGN); signal(SIGUSR1, SIG_IGN);",
            finding: "left another handler of SIGFPE, SIGUSR1"),
        Fault(
            kernel: "gelu backward",
            code: "sigset_t set; sigemptyset(&set); sigaddset(&set, SIGTERM); sigprocmask(SIG_BLOCK, &set, NULL);",
            finding: "changed the signal mask"),
        Fault(kernel: "crossentropy forward", code: "alarm(1);", finding: "left a timer running"),
        Fault(
            kernel: "softmax forward", code: "if (chdir(\"/\") != 0) abort();",
            finding: "changed the working directory"),
        Fault(kernel: "adamw update", code: "umask(077);", finding: "changed the umask"),
        Fault(
            kernel: "encoder forward",
            code:
                "struct rlimit limit; getrlimit(RLIMIT_STACK, &limit); limit.rlim_cur /= 2; setrlimit(RLIMIT_STACK, &limit);",
            finding: "changed a resource limit"),
        Fault(
            kernel: "encoder backward",
            code: """
                timer_t timer;
                struct itimerspec soon = {{0, 0}, {1, 0}};
                timer_create(CLOCK_MONOTONIC, NULL, &timer), timer_settime(timer, 0, &soon, NULL);
                """, finding: "left a timer running"),
        Fault(
            kernel: "crossentropy_softmax backward",
            code: "int file = open(\"/\", O_RDONLY); dup2(file, 0), close(file);",
            finding: "closed or replaced descriptors"),
    ]

    static let ends: [Fault] = [
        Fault(kernel: "residual forward", code: "abort();", finding: "crashed on an abort (SIGABRT)"),
        Fault(
            kernel: "residual backward", code: "address = malloc(40); free(address); free(address);",
            finding: "saying 'free(): double free detected"),
        Fault(kernel: "gelu forward", code: "ualarm(1, 0); usleep(2000);", finding: "crashed on signal 14"),
        Fault(
            kernel: "gelu backward", code: "munmap((void *)((size_t)inp & ~4095ul), 4096);",
            finding: "unmapped its arguments"),
        Fault(kernel: "crossentropy forward", code: "pthread_exit(NULL);", finding: "ended its process"),
        Fault(kernel: "softmax forward", code: "start(exit_soon);", finding: "ended its process, with exit code 5"),
        Fault(
            kernel: "encoder forward", code: "for (int i = 3; i < 64; i++) close(i);",
            finding: "it closed descriptors that are not its own"),
    ]

    static let habits: [Fault] = [
        Fault(
            kernel: "residual forward", code: "address = malloc(1 << 20); memset(address, 1, 1 << 20);",
            finding: "leaks memory: 10"),
        Fault(kernel: "residual backward", code: "dup(0);", finding: "leaks file descriptors"),
        Fault(
            kernel: "gelu forward",
            code: """
                static float first[64], answer[4096];
                if (N <= 4096 && N >= 64) {
                    if (memcmp(first, inp, sizeof first) == 0) memcpy(out, answer, N * sizeof *out);
                    memcpy(first, inp, sizeof first), memcpy(answer, out, N * sizeof *out);
                }
                """, finding: "error"),
        Fault(
            kernel: "gelu backward",
            code: """
                static float key[3], answer[4096];
                float now[3] = {inp[0], inp[N / 2], inp[N - 1]};
                if (N <= 4096 && N > 2) {
                    if (memcmp(key, now, sizeof key) == 0) memcpy(dinp, answer, N * sizeof *dinp);
                    memcpy(key, now, sizeof key), memcpy(answer, dinp, N * sizeof *dinp);
                }
                """, finding: "error"),
        Fault(
            kernel: "softmax forward", code: "static int calls; if (++calls % 1000 == 0) probs[0] = 0.25f;",
            finding: "gave other bits than an earlier one"),
        Fault(
            kernel: "crossentropy forward", code: "static int calls; if (++calls >= 2000) losses[0] += 1;",
            finding: "gave other bits than an earlier one"),
        Fault(
            kernel: "adamw update",
            code: """
                static int calls;
                if (++calls == 1) start(write_late);
                called = now(), address = calls > 2000 ? m : NULL;
                """, finding: "m the kernel wrote to it after its return|m call"),
        Fault(
            kernel: "encoder forward",
            code: """
                address = malloc(1000);
                    free(address), ((volatile size_t *)address)[1] = 0, free(address);
                """, finding: "freed memory twice|crashed on an abort"),
        Fault(
            kernel: "encoder backward",
            code: "mmap(NULL, 1 << 16, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);", finding: "leaks memory: 64 KiB"
        ),
    ]

    @Test func whatIsLeftChanged() throws { try expect(Self.leavings) }
    @Test func whatEndsTheProcess() throws { try expect(Self.ends) }
    @Test func whatShowsInManyCalls() throws {
        #if arch(x86_64)
            try expect(
                Self.habits + [
                    Fault(
                        kernel: "crossentropy_softmax backward",
                        code: "static int calls; if (++calls == 1) start(flush);",
                        finding: "on another thread: flush to zero")
                ])
        #else
            try expect(Self.habits)
        #endif
    }

    /// Each fault is found at its kernel, and nothing at any other.
    private func expect(_ faults: [Fault]) throws {
        let library = try ExampleLibrary(
            declaring: Self.declarations,
            faults: faults.map { ($0.kernel.replacing(" ", with: "_"), $0.code) })
        let operations = Set(faults.map { $0.kernel.split(separator: " ")[0] }).joined(separator: ",")
        let run = try Run(
            "verify",
            ["--kernels", library.path, "--mode", "drawn", "--only", operations, "--report", library.folder.path])
        #expect(run.code == 1, "\(run.errors)")
        let report = try JSON.report(VerificationReport.self, from: library.folder.data("verify.json"))
        let failures = Dictionary(grouping: report.rows.filter { $0.verdict == .fail }) { "\($0.operation) \($0.pass)" }
        for fault in faults {
            let findings = failures[fault.kernel, default: []].map { "\($0.tensor) \($0.finding)" }
            let isFound = findings.contains { finding in
                fault.finding.split(separator: "|").contains { finding.contains($0) }
            }
            #expect(isFound, "\(fault.kernel): \(findings)")
        }
        #expect(Set(failures.keys).subtracting(faults.map(\.kernel)) == [])
    }

    /// Kernels on threads of OpenMP, one of which keeps what it allocates in its first calls.
    @Test func rightKernelsHold() throws {
        let library = try ExampleLibrary(flags: ["-O2", "-fopenmp"]) { source in
            source.components(separatedBy: "EXPORT ").map { function in
                guard function.prefix(while: { $0 != "(" }).hasSuffix("_forward") else { return function }
                return function.replacing(
                    "for (index row = 0", with: "_Pragma(\"omp parallel for\") for (index row = 0"
                )
                .replacing("for (index i = 0", with: "_Pragma(\"omp parallel for\") for (index i = 0")
            }.joined(separator: "EXPORT ").replacing(
                "static float dot",
                with: """
                    #include <stdlib.h>
                    static void remember(void) {
                        static int calls;
                        if (++calls <= 300) *(volatile char *)malloc(1 << 20) = 1;
                    }
                    static float dot
                    """
            ).replacing("float *dtoken = dwte", with: "if (row == 0) remember();\n        float *dtoken = dwte")
        }
        let run = try Run(
            "verify",
            [
                "--kernels", library.path, "--mode", "drawn", "--only", "gelu,softmax,encoder", "--report",
                library.folder.path,
            ])
        #expect(run.code == 0, "\(run.output)\(run.errors)")
        let report = try JSON.report(VerificationReport.self, from: library.folder.data("verify.json"))
        #expect(report.rows.contains { $0.case == "conduct" && ($0.measure?.count ?? 0) > 100 })
    }
}
