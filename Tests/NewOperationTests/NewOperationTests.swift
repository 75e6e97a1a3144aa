import Accuracy
import Benchmarking
import ForeignKernels
import Foundation
import GPT2
import GradientCheck
import KernelCatalog
import Kernels
import Reporting
import SelfTest
import TestSupport
import Testing
import Verification

/// An operation that the project does not know, of three pieces: contract, reference, catalog entry. All else follows.
@Suite(.serialized)
struct NewOperationTests {
    private static let catalog = KernelCatalog.withRMSNorm
    private static let kernels = catalog.kernels.filter { $0.name.operation == "rmsnorm" }

    /// The cases on which a kernel is tried.
    private func trials(_ kernel: any Kernel<Float>.Type) -> [CaseTrial] {
        func open<K: Kernel<Float>>(_ kernel: K.Type) -> [CaseTrial] { CaseTrial.drawn(kernel, from: Self.catalog) }
        return open(kernel)
    }

    @Test func noSourceKnowsIt() throws {
        #expect(Self.kernels.count == 2)
        let sources = try #require(FileManager.default.enumerator(atPath: packageRoot + "/Sources"))
        var read = 0
        for case let path as String in sources {
            guard let text = try? String(contentsOfFile: "\(packageRoot)/Sources/\(path)", encoding: .utf8) else {
                continue
            }
            read += 1
            #expect(!text.lowercased().contains("rmsnorm"), "\(path)")
        }
        #expect(read > 200)
    }

    @Test func isVerifiedAtDrawnSizes() throws {
        for kernel in Self.kernels {
            let right = Self.catalog.reference.filter { $0.kernelName == kernel.name }
            for implementation in right {
                let (blamed, rows) = try trials(kernel).verdict(on: implementation, among: Self.catalog, threads: 2)
                #expect(blamed == nil, "\(blamed?.explanation ?? "")")
                #expect(rows.count >= 6 && rows.allSatisfy { $0.verdict == .pass })
            }
        }
    }

    @Test func plantedFaultsAreCaught() throws {
        var planted = 0
        for kernel in Self.kernels {
            let trials = trials(kernel)
            for fault in FaultCatalogue.commonFaults(of: kernel, in: Self.catalog) {
                planted += 1
                let blamed = try trials.verdict(on: fault.implementation, among: Self.catalog, threads: 2).blamed
                #expect(blamed?.operation == "rmsnorm", "\(kernel.name): \(fault.name)")
            }
        }
        #expect(planted > 50)
    }

    /// rstd as a kernel may compute it, but with the mean taken over one element more.
    private static let wrong = Implementation<Float>("wrong") { (a: RMSNorm.Forward<Float>) in
        RMSNorm.forward(a)
        for i in 0..<a.out.count { a.out[i] *= 1 + 1 / Float(16 * a.C) }
    }

    @Test func gradientsAreChecked() {
        let check = GradientCheck(Self.catalog, operations: ["rmsnorm"])
        let rows = check.reference() + check.verdict(on: KernelSet(Self.catalog.reference))
        #expect(Set(rows.map(\.argument)) == ["dinp", "dweight"])
        for row in rows { #expect(row.holds, "\(row)") }
        // A backward that is not the derivative.
        var kernels = KernelSet(Self.catalog.reference)
        kernels.use(
            Implementation("wrong") { (a: RMSNorm.Backward<Float>) in
                RMSNorm.backward(a)
                for i in 0..<a.dinp.count { a.dinp[i] *= 1.01 }
            })
        #expect(check.verdict(on: kernels).contains { !$0.holds })
    }

    @Test func isTimedAndChecked() throws {
        func worker(_ name: String, _ implementation: Implementation<Float>? = nil) -> WorkerCommand {
            .here(name) {
                var kernels = KernelSet(Self.catalog.reference)
                if let implementation { kernels.use(implementation) }
                return WorkerService(name: name, kernels: kernels, catalog: Self.catalog)
            }
        }
        let other = Implementation<Float>("other") { (a: RMSNorm.Forward<Float>) in RMSNorm.forward(a) }
        for (candidate, isRight) in [(other, true), (Self.wrong, false)] {
            let request = BenchmarkRequest(
                contestants: [worker("candidate", candidate), worker("mine")], shapes: [try ModelShape("odd")],
                catalog: Self.catalog, operations: ["rmsnorm"], threads: [1], steps: false, budget: 0.001)
            let rows = try Benchmark(request).run().rows
            #expect(rows.map(\.kernel) == ["rmsnorm forward", "rmsnorm backward"])
            #expect(rows[0].sizes == "B 3, T 37, C 771")
            #expect(rows[0].timings[0].isWrong != isRight && rows[0].timings[0].implementation == candidate.name)
            #expect((rows[0].timings[0].times != nil) == isRight)
            #expect(rows[1].timings[0].times != nil)
        }
    }

    @Test func isCalledFromALibrary() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            "rmsnorm.c",
            """
            #include <math.h>
            void rmsnorm_forward(float *out, float *rstd, const float *inp, const float *weight, int B, int T, int C) {
                for (int row = 0; row < B * T; row++) {
                    double squares = 0;
                    for (int c = 0; c < C; c++) squares += (double)inp[row * C + c] * inp[row * C + c];
                    double r = 1 / sqrt(squares / C + 1e-5);
                    for (int c = 0; c < C; c++) out[row * C + c] = (float)(inp[row * C + c] * r * weight[c]);
                    rstd[row] = (float)r;
                }
            }
            """)
        let compiler = try Run(
            "/usr/bin/env", ["cc", "-shared", "-fPIC", "-O2", folder("rmsnorm.c"), "-o", folder("librms.so"), "-lm"])
        try #require(compiler.code == 0, "\(compiler.errors)")
        let library = try ForeignLibrary(folder("librms.so"), kernels: Self.catalog.kernels)
        #expect(library.provided == [KernelName("rmsnorm", .forward)])
        let implementation = try #require(library.implementations.first)
        let (blamed, rows) = try trials(RMSNorm.Forward<Float>.self).verdict(
            on: implementation, among: Self.catalog, threads: 2)
        #expect(blamed == nil && rows.count >= 6, "\(blamed?.explanation ?? "")")
    }
}
