import Foundation
import HDF5
import Tensors

/// An open fixture whose manifest has been checked to be closed: the file holds the datasets that it lists, of the type
/// and shape that it says, and no others.
package final class FixtureFile {
    /// What a fixture is about.
    package enum Kind: String {
        /// The cases of one operation.
        case kernels
        /// A whole model.
        case state
    }

    private struct Entry: Codable {
        let path: String
        let dtype: String
        let shape: [Int]
    }

    /// The version of the schema that this code reads.
    package static let schema = 3
    /// The dataset that lists all others.
    package static let manifestName = "manifest"

    /// The path as given.
    package let path: String
    /// The SHA-256 of its content, in hexadecimal.
    package let digest: String
    /// What it is about.
    package let kind: Kind
    private let file: File
    private let manifest: [String: Entry]
    private var touched: Set<String> = []

    /// Opens the fixture at `path` and checks its seal, version and manifest.
    package init(_ path: String) throws(FixtureError) {
        self.path = path
        digest = try FixtureSeal.check(path)
        do throws(HDF5Error) {
            file = try File(reading: path)
        } catch {
            throw FixtureError(error)
        }
        let version: [Int64]
        let kindName: String
        let listed: [String]
        let manifestText: String
        do throws(HDF5Error) {
            version = try file.attribute("plumbline_schema", of: "/", as: Int64.self)
            kindName = try file.textAttribute("kind", of: "/")
            manifestText = try file.dataset(Self.manifestName).readString()
            listed = try file.datasets().filter { $0 != Self.manifestName }
        } catch {
            throw FixtureError(error)
        }
        guard version == [Int64(Self.schema)] else {
            throw FixtureError(
                file: path, dataset: "/@plumbline_schema",
                "its schema is version \(version.first.map(String.init) ?? "none"), and version \(Self.schema) is read here",
                remedy: "write it anew with scripts/generate_fixtures.py of this checkout")
        }
        guard let kind = Kind(rawValue: kindName) else {
            throw FixtureError(file: path, dataset: "/@kind", "'\(kindName)' is neither kernels nor state")
        }
        self.kind = kind
        guard let entries = try? JSONDecoder().decode([Entry].self, from: Data(manifestText.utf8)) else {
            throw FixtureError(file: path, dataset: Self.manifestName, "it is not the list that it should be")
        }
        manifest = Dictionary(entries.map { ($0.path, $0) }) { first, _ in first }
        for extra in listed where manifest[extra] == nil {
            throw error(extra, "the manifest does not list it")
        }
        let present = Set(listed)
        for entry in entries {
            guard present.contains(entry.path) else { throw error(entry.path, "it is missing") }
            let (type, shape) = try describe(entry.path)
            guard type.description == entry.dtype, shape == entry.shape else {
                throw error(
                    entry.path,
                    "it is \(type) of shape \(shape), and the manifest says \(entry.dtype) of \(entry.shape)")
            }
        }
    }

    /// An error in this file.
    package func error(_ dataset: String?, _ problem: String) -> FixtureError {
        FixtureError(file: path, dataset: dataset, problem)
    }

    // MARK: - Structure

    /// Whether the manifest lists a dataset at `path` or below it.
    package func exists(_ path: String) -> Bool { file.exists(path) }

    /// The names in `group`, sorted.
    package func children(of group: String) throws(FixtureError) -> [String] {
        guard file.exists(group) else { throw error(group, "it is missing") }
        return try wrap { () throws(HDF5Error) in try file.children(of: group) }
    }

    /// Checks that a dataset is there, of that type and shape.
    package func check(_ dataset: String, _ type: ElementType, _ shape: [Int]) throws(FixtureError) {
        guard let entry = manifest[dataset] else { throw error(dataset, "it is missing") }
        guard entry.dtype == type.description, entry.shape == shape else {
            throw error(dataset, "it is \(entry.dtype) of shape \(entry.shape), and must be \(type) of \(shape)")
        }
    }

    /// Checks that the results in the file, each a group of `float32` and `float64`, are those expected.
    package func requireResults(_ expected: [String: [Int]]) throws(FixtureError) {
        for (path, shape) in expected.sorted(by: { $0.key < $1.key }) {
            try check("\(path)/float32", .float32, shape)
            try check("\(path)/float64", .float64, shape)
        }
        for path in manifest.keys.sorted() where path.hasSuffix("/float64") || path.hasSuffix("/float32") {
            guard expected[String(path.dropLast("/float64".count))] != nil else {
                throw error(path, "a model of these sizes has no such tensor")
            }
        }
    }

    /// Checks that everything listed has been read, or skipped on purpose.
    package func requireAllRead() throws(FixtureError) {
        if let forgotten = manifest.keys.filter({ !touched.contains($0) }).min() {
            throw error(forgotten, "nothing that is compared uses it")
        }
    }

    /// Leaves the datasets below `group` unread on purpose.
    package func skip(_ group: String) { touched.formUnion(manifest.keys.filter { $0.hasPrefix(group + "/") }) }

    // MARK: - Attributes

    /// Whether a group has an attribute of that name.
    package func has(_ name: String, of group: String) -> Bool { file.hasAttribute(name, of: group) }

    /// A whole number.
    package func integer(_ name: String, of group: String) throws(FixtureError) -> Int {
        let numbers = try integers(name, of: group)
        guard numbers.count == 1 else { throw error("\(group)@\(name)", "it is not one number") }
        return numbers[0]
    }

    /// Several whole numbers.
    package func integers(_ name: String, of group: String) throws(FixtureError) -> [Int] {
        try wrap { () throws(HDF5Error) in try file.attribute(name, of: group, as: Int64.self).map { Int($0) } }
    }

    /// A float32 number.
    package func float(_ name: String, of group: String) throws(FixtureError) -> Float {
        let numbers = try wrap { () throws(HDF5Error) in try file.attribute(name, of: group, as: Float.self) }
        guard numbers.count == 1, numbers[0].isFinite else {
            throw error("\(group)@\(name)", "it is not one finite number")
        }
        return numbers[0]
    }

    /// A text.
    package func string(_ name: String, of group: String) throws(FixtureError) -> String {
        try wrap { () throws(HDF5Error) in try file.textAttribute(name, of: group) }
    }

    // MARK: - Data

    /// The elements of a dataset, all or those of a flat range.
    package func read<T: Element>(_ dataset: String, _ type: T.Type, elements: Range<Int>? = nil) throws(FixtureError)
        -> [T]
    {
        touched.insert(dataset)
        return try wrap { () throws(HDF5Error) in
            let opened = try file.dataset(dataset)
            return try opened.read(type, elements: elements ?? 0..<opened.count)
        }
    }

    /// Reads a dataset of that shape into `view`.
    package func load<T: Element>(_ dataset: String, _ shape: [Int], into view: MutableView<T>) throws(FixtureError) {
        try check(dataset, T.type, shape)
        touched.insert(dataset)
        try wrap { () throws(HDF5Error) in
            try file.dataset(dataset).read(into: view.buffer, elements: 0..<view.count)
        }
    }

    private func describe(_ dataset: String) throws(FixtureError) -> (ElementType, [Int]) {
        try wrap { () throws(HDF5Error) in
            let opened = try file.dataset(dataset)
            return (opened.type, opened.shape)
        }
    }

    private func wrap<Value>(_ body: () throws(HDF5Error) -> Value) throws(FixtureError) -> Value {
        do throws(HDF5Error) { return try body() } catch { throw FixtureError(error) }
    }
}

extension FixtureError {
    /// What libhdf5 found wrong with a file; `remedy` where it knows of none itself.
    package init(_ error: HDF5Error, remedy: String = Self.remedy) {
        self.init(
            file: error.file, dataset: error.object.isEmpty ? nil : error.object,
            error.problem + (error.detail.isEmpty ? "" : " (\(error.detail))"), remedy: error.remedy ?? remedy)
    }
}
