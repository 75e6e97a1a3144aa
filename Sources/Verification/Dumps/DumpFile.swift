import Fixtures
import Foundation
import HDF5

/// What another program wrote of one pass: an HDF5 file with a float32 dataset for each activation and gradient, under
/// the names of a debug state, or a group that holds it as `float32`.
///
/// The attribute `not_materialised` of the file is a JSON array of the names of those that the program never has.
final class DumpFile {
    static let attribute = "not_materialised"
    private static let groups = ["activations", "gradients"]

    let path: String
    /// The datasets by the name of their tensor, such as `activations/h.0.ln1`.
    let datasets: [String: String]
    /// The names of tensors that the program does not materialise.
    let notMaterialised: Set<String>
    private let file: File

    /// Opens the file at `path`.
    ///
    /// - Throws: ``FixtureError`` when it is missing, damaged or empty.
    init(_ path: String) throws(FixtureError) {
        self.path = path
        let names: [String]
        let listing: String
        do throws(HDF5Error) {
            file = try File(reading: path)
            names = try file.datasets()
            listing =
                file.hasAttribute(Self.attribute, of: "/")
                ? try file.textAttribute(Self.attribute, of: "/") : "[]"
        } catch {
            throw Self.error(path, error)
        }
        guard let absent = try? JSONDecoder().decode([String].self, from: Data(listing.utf8)) else {
            throw FixtureError(
                file: path, dataset: "/@\(Self.attribute)", "it is not a JSON array of names", remedy: Self.remedy)
        }
        notMaterialised = Set(absent)
        var datasets: [String: String] = [:]
        for name in names where Self.groups.contains(String(name.prefix { $0 != "/" })) {
            datasets[name.hasSuffix("/float32") ? String(name.dropLast("/float32".count)) : name] = name
        }
        self.datasets = datasets
        guard !datasets.isEmpty else {
            throw FixtureError(
                file: path, "it has no dataset below \(Self.groups.joined(separator: " or "))", remedy: Self.remedy)
        }
    }

    /// The type and shape of a tensor's dataset.
    func describe(_ tensor: String) throws(FixtureError) -> (type: ElementType, shape: [Int]) {
        do throws(HDF5Error) {
            let dataset = try file.dataset(datasets[tensor] ?? tensor)
            return (dataset.type, dataset.shape)
        } catch {
            throw Self.error(path, error)
        }
    }

    /// The elements of a tensor.
    func read(_ tensor: String) throws(FixtureError) -> [Float] {
        do throws(HDF5Error) {
            return try file.dataset(datasets[tensor] ?? tensor).read(Float.self)
        } catch {
            throw Self.error(path, error)
        }
    }

    /// How a dump that cannot be used is mended.
    static let remedy = "write it anew, as scripts/dump_hooks.py does"

    private static func error(_ path: String, _ error: HDF5Error) -> FixtureError {
        FixtureError(
            file: path, dataset: error.object.isEmpty ? nil : error.object,
            error.problem + (error.detail.isEmpty ? "" : " (\(error.detail))"), remedy: remedy)
    }
}
