import Foundation

/// A folder that goes when the test ends.
public final class TemporaryFolder: Sendable {
    /// Its path.
    public let path = NSTemporaryDirectory() + "plumbline-tests-" + UUID().uuidString

    /// A new folder, empty.
    public init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of `name` in the folder.
    public func callAsFunction(_ name: String) -> String { path + "/" + name }

    /// The content of the file `name`.
    public func data(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: self(name))) }

    /// The names in the folder `name`, sorted; none where there is none.
    public func names(in name: String = "") -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: self(name))) ?? []).sorted()
    }

    /// Writes the file `name`, and returns its path.
    @discardableResult
    public func write(_ name: String, _ data: Data) throws -> String {
        try data.write(to: URL(fileURLWithPath: self(name)))
        return self(name)
    }

    /// Writes a text.
    @discardableResult
    public func write(_ name: String, _ text: String) throws -> String { try write(name, Data(text.utf8)) }

    /// Writes an object of Foundation's as JSON.
    @discardableResult
    public func write(_ name: String, json: Any) throws -> String {
        try write(name, JSONSerialization.data(withJSONObject: json))
    }

    /// Copies a committed fixture, such as `tiny.h5`, into the folder, and returns the copy's path.
    public func copy(of fixture: String) throws -> String {
        let copy = self((fixture as NSString).lastPathComponent)
        try FileManager.default.copyItem(atPath: "\(packageRoot)/fixtures/\(fixture)", toPath: copy)
        return copy
    }
}
