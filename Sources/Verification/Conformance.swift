import Foundation
import Kernels

/// What an implementation got wrong, for the report of a test.
public struct NonconformanceError: Error, CustomStringConvertible, Sendable {
    public let description: String
}

extension Verifier {
    /// Checks that an implementation conforms to its contract, by every case of the project's fixture: one line in a
    /// kernel author's own test.
    ///
    /// - Throws: ``NonconformanceError`` that names the first case and result that fail, and how they do;
    ///   ``FixtureError`` when the fixture cannot be used.
    public static func requireConformance(of implementation: Implementation<Float>, threads: Int = 2) throws {
        // The fixtures lie in the checkout that these sources were built from.
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let name = implementation.kernelName
        let fixture = try KernelFixture("\(root)/fixtures/kernels/\(name.operation).h5")
        let rows = try fixture.trials.verdict(on: implementation, threads: threads).rows
        let failures = rows.filter { $0.verdict == .fail }
        guard let first = failures.first else { return }
        throw NonconformanceError(
            description: "\(name) (\(implementation.name)) does not conform: \(first.tensor) of the case "
                + "'\(first.case)': \(first.finding)")
    }
}
