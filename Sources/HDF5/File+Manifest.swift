import Foundation

/// A list of all datasets of a file, kept in it, so that nothing can go missing or be added unseen.
extension File {
    /// The dataset that lists all others.
    public static var manifest: String { "manifest" }

    private struct Entry: Codable, Equatable {
        let path: String
        let dtype: String
        let shape: [Int]
    }

    /// Closes the list: adds the dataset that names every other, with its type and shape.
    public func writeManifest() throws(HDF5Error) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let listing = try? encoder.encode(entries()) else {
            throw HDF5Error(path, Self.manifest, "the datasets cannot be listed")
        }
        try createDataset(Self.manifest, of: UInt8.self, shape: [listing.count]).write([UInt8](listing))
    }

    /// Checks that the file holds just what its manifest lists.
    public func checkManifest() throws(HDF5Error) {
        let listing = Data(try dataset(Self.manifest).read(UInt8.self))
        guard let listed = try? JSONDecoder().decode([Entry].self, from: listing) else {
            throw HDF5Error(path, Self.manifest, "it is not the list that it should be")
        }
        let found = try entries()
        for entry in listed where !found.contains(entry) {
            throw HDF5Error(path, entry.path, "it is missing, or not \(entry.dtype) of shape \(entry.shape)")
        }
        for entry in found where !listed.contains(entry) {
            throw HDF5Error(path, entry.path, "the manifest does not list it")
        }
    }

    private func entries() throws(HDF5Error) -> [Entry] {
        var entries: [Entry] = []
        for name in try datasets() where name != Self.manifest {
            let dataset = try dataset(name)
            entries.append(Entry(path: name, dtype: dataset.type.description, shape: dataset.shape))
        }
        return entries
    }
}
