import CHDF5

/// An open dataset; closed when it goes out of scope.
public struct Dataset: ~Copyable {
    /// The file's path, and the dataset's in it.
    public let file, path: String
    /// The extents, outermost first; empty for a scalar.
    public let shape: [Int]
    /// What it holds.
    public let type: ElementType
    /// The number of elements.
    public let count: Int
    let identifier: Identifier

    fileprivate init(_ file: String, _ path: String, _ identifier: consuming Identifier) throws(HDF5Error) {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        guard
            let space = Identifier(H5Dget_space(identifier.id), H5Sclose),
            let type = Identifier(H5Dget_type(identifier.id), H5Tclose),
            case let rank = H5Sget_simple_extent_ndims(space.id), rank >= 0
        else { throw HDF5Error(file, path, "cannot read the dataset's shape and type") }
        // A null dataspace has no elements, and no axes either.
        var extents = [hsize_t](repeating: 0, count: H5Sget_simple_extent_type(space.id) == H5S_NULL ? 1 : Int(rank))
        H5Sget_simple_extent_dims(space.id, &extents, nil)
        var count = 1
        for extent in extents {
            // Corrupt metadata may claim any extent.
            let (product, overflow) = count.multipliedReportingOverflow(by: Int(clamping: extent))
            guard !overflow, product < Int.max / 16 else {
                throw HDF5Error(file, path, "a shape of \(extents) is beyond any memory; the file is corrupt")
            }
            count = product
        }
        self.file = file
        self.path = path
        shape = extents.map { Int($0) }
        self.type = ElementType(type.id)
        self.count = count
        self.identifier = identifier
    }

    /// Whether each chunk carries a Fletcher-32 checksum.
    public var isChecksummed: Bool { filters.contains { $0.number == H5Z_FILTER_FLETCHER32 } }

    /// What the elements go through on their way into the file, in order.
    private var filters: [(number: H5Z_filter_t, name: String)] {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        guard let properties = Identifier(H5Dget_create_plist(identifier.id), H5Pclose) else { return [] }
        return (0..<max(H5Pget_nfilters(properties.id), 0)).map { index in
            var flags: UInt32 = 0
            var values = 0
            var configuration: UInt32 = 0
            var name = [CChar](repeating: 0, count: 256)
            let number = H5Pget_filter2(
                properties.id, UInt32(index), &flags, &values, nil, name.count - 1, &name, &configuration)
            return (number, String(terminated: name))
        }
    }

    /// Why the elements cannot be read: a filter that is not installed, or what the file holds.
    func readingError(_ range: Range<Int>) -> HDF5Error {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        let error = HDF5Error(file, path, "cannot read elements \(range); the data is corrupt")
        guard let missing = filters.first(where: { H5Zfilter_avail($0.number) <= 0 }) else { return error }
        // Some names go on with where the filter is described; libhdf5 says "Unknown" where the file has none.
        let name = String(missing.name.prefix { $0 != ";" })
        return HDF5Error(
            file, path,
            "its data went through filter \(missing.number)"
                + (name.isEmpty || name.hasPrefix("Unknown") ? "" : " (\(name))") + ", and its plugin is missing",
            .missingFilter)
    }
}

extension File {
    /// Opens a dataset.
    ///
    /// The corresponding C function is `H5Dopen2`.
    public func dataset(_ dataset: String) throws(HDF5Error) -> Dataset {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        guard try isThere(dataset) else { throw HDF5Error(path, dataset, "there is no such dataset") }
        guard let opened = Identifier(H5Dopen2(identifier.id, dataset, access.dataset), H5Dclose) else {
            throw HDF5Error(path, dataset, "it cannot be opened as a dataset")
        }
        try checkSources(dataset, opened.id)
        return try Dataset(path, dataset, opened)
    }

    /// Makes a dataset of `shape`, and the groups that it lies in.
    ///
    /// It is stored in chunks along the first extent of about `chunkBytes`, shuffled and deflated at `level` unless that
    /// is 0, and with a Fletcher-32 checksum each. A scalar or an empty dataset is stored plainly. No time is recorded:
    /// the same content gives the same bytes.
    ///
    /// The corresponding C function is `H5Dcreate2`.
    public func createDataset<T: Element>(
        _ dataset: String, of type: T.Type, shape: [Int], level: Int = 4, chunkBytes: Int = 1 << 18
    ) throws(HDF5Error) -> Dataset {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        let extents = shape.map { hsize_t($0) }
        try createGroup(dataset.split(separator: "/").dropLast().joined(separator: "/"))
        guard
            let space = Identifier(
                shape.isEmpty ? H5Screate(H5S_SCALAR) : H5Screate_simple(Int32(shape.count), extents, nil), H5Sclose),
            let properties = Identifier(H5Pcreate(chdf5_dataset_create()), H5Pclose),
            H5Pset_obj_track_times(properties.id, false) >= 0,
            shape.isEmpty || shape.contains(0)
                || Self.store(properties.id, extents, elementBytes: MemoryLayout<T>.stride, level, chunkBytes),
            let created = Identifier(
                H5Dcreate2(
                    identifier.id, dataset, T.native.id(), space.id, chdf5_default(), properties.id, chdf5_default()),
                H5Dclose)
        else { throw HDF5Error(path, dataset, "cannot create the dataset") }
        return try Dataset(path, dataset, created)
    }

    private static func store(
        _ properties: hid_t, _ extents: [hsize_t], elementBytes: Int, _ level: Int, _ chunkBytes: Int
    ) -> Bool {
        let rowBytes = extents.dropFirst().reduce(elementBytes) { $0 * Int($1) }
        var chunk = extents
        chunk[0] = hsize_t(min(max(chunkBytes / rowBytes, 1), Int(extents[0])))
        return H5Pset_chunk(properties, Int32(chunk.count), chunk) >= 0
            && (level == 0 || H5Pset_shuffle(properties) >= 0 && H5Pset_deflate(properties, UInt32(level)) >= 0)
            && H5Pset_fletcher32(properties) >= 0
    }
}
