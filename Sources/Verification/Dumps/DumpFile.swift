import Fixtures
import Foundation
import HDF5

/// What another program wrote of one pass: an HDF5 file with a dataset of floats for each activation and gradient, under
/// the names of a debug state, or a group that holds it under the name of its type, such as `float32`.
///
/// The attribute `not_materialised` of the file names those that the program never has: a JSON array, or a list of
/// strings.
final class DumpFile {
    static let attribute = "not_materialised"
    /// Where the tensors lie.
    static let groups = ["activations", "gradients"]
    /// The names of the dataset of a tensor that is a group; the first that is there counts.
    private static let types = [ElementType.float32, .float64, .float16, .bfloat16].map { "/\($0)" }

    let path: String
    /// The datasets by the name of their tensor, such as `activations/h.0.ln1`; where the file has none at their places,
    /// those below groups of these names elsewhere.
    let datasets: [String: String]
    /// The names of tensors that the program does not materialise.
    let notMaterialised: Set<String>
    private let file: File

    /// Opens the file at `path`; what its links name in other files is read if they are to be followed.
    ///
    /// - Throws: ``FixtureError`` when it is missing, damaged or empty.
    init(_ path: String, followingLinks: Bool = false) throws(FixtureError) {
        self.path = path
        let names: [String]
        let absent: [String]
        do throws(HDF5Error) {
            file = try File(reading: path, followingOtherFiles: followingLinks)
            names = try Self.names(in: file)
            absent = file.hasAttribute(Self.attribute, of: "/") ? try file.texts(Self.attribute, of: "/") : []
        } catch {
            throw Self.error(error)
        }
        guard let listed = Self.list(absent) else {
            throw FixtureError(
                file: path, dataset: "/@\(Self.attribute)", "it is neither a JSON array of names nor a list of them",
                remedy: Self.remedy)
        }
        notMaterialised = Set(listed)
        datasets = Self.tensors(names)
        guard !datasets.isEmpty else {
            throw FixtureError(
                file: path, "it has no dataset below \(Self.groups.joined(separator: " or "))", remedy: Self.remedy)
        }
    }

    /// The datasets below the groups of tensors; where there are none, those below groups of the same names elsewhere.
    private static func names(in file: borrowing File) throws(HDF5Error) -> [String] {
        var names: [String] = []
        for group in try file.children(of: "/") where groups.contains(group) {
            names += try file.datasets(below: group)
        }
        guard names.isEmpty else { return names }
        return try file.datasets().filter { name in
            name.split(separator: "/").dropLast().contains { groups.contains(String($0)) }
        }
    }

    /// The datasets by the names of their tensors.
    private static func tensors(_ names: [String]) -> [String: String] {
        var tensors = Dictionary(
            uniqueKeysWithValues: names.filter { !types.contains(where: $0.hasSuffix) }.map { ($0, $0) })
        for type in types {
            for name in names where name.hasSuffix(type) {
                let tensor = String(name.dropLast(type.count))
                tensors[tensor] = tensors[tensor] ?? name
            }
        }
        return tensors
    }

    /// The names in the strings of the attribute; nil if they are none.
    private static func list(_ texts: [String]) -> [String]? {
        if texts.count == 1, let names = try? JSONDecoder().decode([String].self, from: Data(texts[0].utf8)) {
            return names
        }
        return texts.allSatisfy { text in groups.contains { text.hasPrefix("\($0)/") } } ? texts : nil
    }

    /// The type and shape of a tensor's dataset.
    func describe(_ tensor: String) throws(FixtureError) -> (type: ElementType, shape: [Int]) {
        do throws(HDF5Error) {
            let dataset = try file.dataset(datasets[tensor] ?? tensor)
            return (dataset.type, dataset.shape)
        } catch {
            throw Self.error(error)
        }
    }

    /// The elements of a tensor, as they are in the file.
    func read(_ tensor: String) throws(FixtureError) -> [Double] {
        do throws(HDF5Error) {
            return try file.dataset(datasets[tensor] ?? tensor).readFloats()
        } catch {
            throw Self.error(error)
        }
    }

    /// How a dump that cannot be used is mended.
    static let remedy = "write it anew, as scripts/dump_hooks.py does"

    private static func error(_ error: HDF5Error) -> FixtureError {
        let known = FixtureError(error, remedy: remedy)
        guard error.cause == .otherFile else { return known }
        return FixtureError(
            file: known.file, dataset: known.dataset, known.problem, remedy: known.remedy + ", or give --follow-links")
    }
}
