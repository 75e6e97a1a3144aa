import Foundation
import Platform
import Reporting
import TestSupport
import Testing

/// `verify --mode drawn` on the example library with faults that no fixture has a size for.
struct DrawnCasesTests {
    struct Fault: CustomTestStringConvertible {
        let testDescription, kernel, text, replacement: String
    }

    static let faults = [
        Fault(
            testDescription: "the last channel is left out at 768", kernel: "layernorm forward",
            text: "for (int c = 0; c < C; c++) out[row * C + c] = (x[c] - m)",
            replacement: "for (int c = 0; c < C - (C == 768); c++) out[row * C + c] = (x[c] - m)"),
        Fault(
            testDescription: "head 11 of 12 uses head 0", kernel: "attention forward",
            text: "const float *q = inp + b * T * 3 * C + h * hs,",
            replacement: "const float *q = inp + b * T * 3 * C + (NH == 12 && h == 11 ? 0 : h) * hs,"),
        Fault(
            testDescription: "only the first 1 024 terms of a sum", kernel: "matmul forward",
            text: "for (index c = 0; c < C; c++) sum +=",
            replacement: "for (index c = 0; c < C && c < 1024; c++) sum +="),
    ]

    @Test(arguments: faults)
    func faultsOfRealSizes(_ fault: Fault) throws {
        let library = try ExampleLibrary(replacing: fault.text, by: fault.replacement)
        let operation = String(fault.kernel.split(separator: " ")[0])
        func verify(_ flags: [String]) throws -> (Run, VerificationReport) {
            let run = try Run(
                "verify", ["--kernels", library.path, "--report", library.folder.path, "--only", operation] + flags)
            return (run, try JSON.report(VerificationReport.self, from: library.folder.data("verify.json")))
        }
        let (drawn, report) = try verify(["--mode", "drawn"])
        #expect(drawn.code == 1, "\(drawn.errors)")
        #expect(report.blamed.map { "\($0.operation ?? "") \($0.pass ?? "")" } == fault.kernel)
        #expect(report.rows.allSatisfy { $0.mode == .drawn } && report.drawn?.seed == 1)
        #expect(try verify(["--fixture", "fixtures/kernels/\(operation).h5"]).0.code == 0)
    }

    /// The same seed draws the same.
    @Test func seeds() throws {
        func worst(_ seed: String) throws -> [Double] {
            let folder = try TemporaryFolder()
            let run = try Run(
                "verify", ["--mode", "drawn", "--only", "layernorm", "--seed", seed, "--report", folder.path])
            #expect(run.code == 0, "\(run.output)")
            let report = try JSON.report(VerificationReport.self, from: folder.data("verify.json"))
            #expect(report.drawn.map { $0.calls > 100 } == true)
            return report.rows.map(\.worst)
        }
        let first = try worst("5")
        #expect(try worst("5") == first && worst("6") != first)
    }
}
