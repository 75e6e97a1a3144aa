import Foundation
import Platform
import Reporting
import TestSupport
import Testing

/// `verify --mode drawn` on a C library with faults that no fixture has a size for.
struct DrawnCasesTests {
    /// A fault of `faults.c`.
    struct Fault: CustomTestStringConvertible {
        let kernel, name: String
        /// The sizes at which the kernel is tried alone; among others of its operations if nil.
        var sizes: String?

        var testDescription: String { "\(kernel): \(name)" }
        var operation: String { String(kernel.prefix { $0 != " " }) }
    }

    /// Each group has at most one fault of a kernel.
    static let groups = [
        [
            Fault(kernel: "layernorm forward", name: "last-channel"),
            Fault(kernel: "layernorm backward", name: "row-after-1024"),
            Fault(kernel: "gelu forward", name: "after-100000"), Fault(kernel: "gelu backward", name: "partial-vector"),
            Fault(kernel: "residual forward", name: "index-in-15-bits"),
            Fault(kernel: "residual backward", name: "index-in-16-bits"),
            Fault(kernel: "softmax forward", name: "column-50256"), Fault(kernel: "adamw update", name: "after-65536"),
        ],
        [
            Fault(kernel: "encoder forward", name: "token-in-15-bits"),
            Fault(kernel: "encoder backward", name: "batch-after-16"),
            Fault(kernel: "gelu forward", name: "last-of-block"),
            Fault(kernel: "softmax forward", name: "not-rescaled"),
            Fault(kernel: "classifier forward", name: "target-in-10-bits"),
        ],
    ]

    /// Those whose operations take long.
    static let alone = [
        Fault(kernel: "encoder forward", name: "token-in-8-bits", sizes: "B=2,T=3,V=1024,P=3,C=5"),
        Fault(kernel: "matmul forward", name: "terms-after-1024", sizes: "B=1,T=64,C=3072,OC=768"),
        Fault(kernel: "matmul forward", name: "last-term", sizes: "B=3,T=2,C=129,OC=7"),
        Fault(kernel: "matmul forward", name: "tile-1e-2", sizes: "B=4,T=64,C=768,OC=3072"),
        Fault(kernel: "matmul forward", name: "tile-1e-4", sizes: "B=4,T=64,C=768,OC=3072"),
        Fault(kernel: "matmul forward", name: "tensor-float", sizes: "B=1,T=64,C=3072,OC=768"),
        Fault(kernel: "matmul backward", name: "last-row", sizes: "B=1,T=129,C=3,OC=5"),
        Fault(kernel: "attention forward", name: "head-11", sizes: "B=1,T=64,C=768,NH=12"),
        Fault(kernel: "attention forward", name: "row-1023", sizes: "B=1,T=1024,C=3,NH=3"),
        Fault(kernel: "attention backward", name: "batch-after-8", sizes: "B=9,T=3,C=2,NH=1"),
    ]

    /// The library, optimised, so that it is quick, but for what changes the floating-point environment.
    private static let library = Result {
        let folder = try TemporaryFolder()
        let compiler = try Run(
            "/usr/bin/env",
            [
                "cc", "-std=c11", "-shared", "-fPIC", "-O3", "-fno-math-errno", "-fassociative-math",
                "-fno-signed-zeros", "-fno-trapping-math", "-I", "include", "-I", "examples",
                "Tests/CommandTests/faults.c", "-o", folder("libfaults.so"), "-lm",
            ])
        try #require(compiler.code == 0, "\(compiler.errors)")
        return folder
    }

    /// What the library is found to be with those faults.
    private func verify(_ flags: [String], with faults: [Fault]) throws -> (Run, VerificationReport) {
        let (library, reports) = (try Self.library.get(), try TemporaryFolder())
        let run = try Run(
            "verify", ["--kernels", library("libfaults.so"), "--report", reports.path] + flags,
            environment: ["FAULTS": faults.map(\.name).joined(separator: ",")])
        return (run, try JSON.report(VerificationReport.self, from: reports.data("verify.json")))
    }

    private func failed(_ report: VerificationReport) -> Set<String> {
        Set(report.rows.filter { $0.verdict == .fail }.map { "\($0.operation) \($0.pass)" })
    }

    @Test(arguments: groups)
    func faultsOfRealSizes(_ faults: [Fault]) throws {
        let operations = Set(faults.map(\.operation)).sorted().joined(separator: ",")
        let (run, report) = try verify(["--mode", "drawn", "--only", operations], with: faults)
        #expect(run.code == 1, "\(run.errors)")
        #expect(failed(report) == Set(faults.map(\.kernel)))
        #expect(
            report.blamed.map { blamed in
                faults.contains { $0.kernel == "\(blamed.operation ?? "") \(blamed.pass ?? "")" }
            } == true)
        #expect(report.rows.allSatisfy { $0.mode == .drawn } && report.drawn?.seed == 1)
    }

    @Test(arguments: alone)
    func faultOfOneSize(_ fault: Fault) throws {
        let name = "\(fault.kernel.replacing(" ", with: "/"))/drawn:\(fault.sizes ?? "")"
        let (run, report) = try verify(["--case", name], with: [fault])
        #expect(run.code == 1, "\(run.output)\(run.errors)")
        #expect(report.blamed.map { "\($0.operation ?? "") \($0.pass ?? "")" } == fault.kernel)
        #expect(try verify(["--case", name], with: []).0.code == 0)
    }

    /// An error that a fixture's bounds may hide in one kernel is not blamed on another, nor on the wiring.
    @Test func inexactFunction() throws {
        let fault = Fault(kernel: "softmax forward", name: "inexact-exp")
        let (run, report) = try verify(["--only", "softmax,crossentropy,classifier"], with: [fault])
        #expect(run.code == 1, "\(run.errors)")
        #expect(failed(report) == [fault.kernel])
        #expect(report.blamed.map { "\($0.operation ?? "") \($0.pass ?? "")" } == fault.kernel)
    }

    /// By fixtures, all of them hold.
    @Test(arguments: groups)
    func fixturesAreTooSmall(_ faults: [Fault]) throws {
        let fixtures = Set(faults.map { "fixtures/kernels/\($0.operation).h5" }).sorted()
        let (run, _) = try verify(["--mode", "isolated", "--fixture"] + fixtures, with: faults)
        #expect(run.code == 0, "\(run.output)\(run.errors)")
    }

    /// The same seed draws the same.
    @Test func seeds() throws {
        func worst(_ seed: String) throws -> [Double] {
            let folder = try TemporaryFolder()
            let run = try Run(
                "verify", ["--mode", "drawn", "--only", "gelu", "--seed", seed, "--report", folder.path])
            #expect(run.code == 0, "\(run.output)")
            let report = try JSON.report(VerificationReport.self, from: folder.data("verify.json"))
            #expect(report.drawn.map { $0.calls > 50 } == true)
            return report.rows.map(\.worst)
        }
        let first = try worst("5")
        #expect(try worst("5") == first && worst("6") != first)
    }
}
