import Foundation
import KernelCatalog
import Kernels
import Reporting
import Verification

/// The root of the checkout.
let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

/// A folder that goes when the test ends.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "plumbline-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A copy of a committed fixture, such as `tiny.h5`.
    func copy(of fixture: String) throws -> String {
        let copy = path + "/" + (fixture as NSString).lastPathComponent
        try FileManager.default.copyItem(atPath: "\(root)/fixtures/\(fixture)", toPath: copy)
        return copy
    }
}

/// Verifies the set `name`, with some kernels replaced, by the committed fixtures or those given.
func verify(
    _ name: String = "fast", replacing replacements: [Implementation<Float>] = [], threads: Int = 2,
    fixtures: [String] = Verifier.committedFixtures(in: root), only: Set<String> = [],
    modes: Set<ComparisonRow.Mode> = Set(ComparisonRow.Mode.allCases)
) throws -> VerificationOutcome {
    var kernels = try KernelCatalog.standard.set(named: name, workers: Workers(count: threads))
    for replacement in replacements { kernels.use(replacement) }
    return try Verifier(
        VerificationRequest(kernels: kernels, fixtures: fixtures, operations: only, modes: modes)
    ).run()
}
