import CHDF5

extension File {
    /// Whether a group or dataset is at `object`, on each step of the way.
    ///
    /// The corresponding C function is `H5Lexists`.
    public func exists(_ object: String) -> Bool {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        var prefix = ""
        for part in object.split(separator: "/") {
            prefix += "/" + part
            guard H5Lexists(identifier.id, prefix, chdf5_default()) > 0 else {
                _ = HDF5Library.takeErrors()
                return false
            }
        }
        return true
    }

    /// The names of the groups and datasets in `group`, sorted.
    ///
    /// The corresponding C function is `H5Literate`, in the file's own order: libhdf5 1.10 frees memory it never
    /// filled when it sorts the names of a corrupt group.
    public func children(of group: String) throws(HDF5Error) -> [String] {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        guard let opened = Identifier(H5Gopen2(identifier.id, group, chdf5_default()), H5Gclose) else {
            throw HDF5Error(path, group, "there is no such group")
        }
        var names: [String] = []
        let status = withUnsafeMutablePointer(to: &names) { names in
            chdf5_iterate(
                opened.id,
                { _, name, _, collected in
                    guard let name, let collected else { return -1 }
                    collected.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
                    return 0
                }, names)
        }
        guard status >= 0 else { throw HDF5Error(path, group, "cannot read the group") }
        return names.sorted()
    }

    /// The paths of all datasets below `group`, without a leading slash, sorted.
    public func datasets(below group: String = "/") throws(HDF5Error) -> [String] {
        var found: [String] = []
        for name in try children(of: group) {
            let path = group == "/" ? name : "\(group)/\(name)"
            switch try kind(of: path) {
            case H5I_DATASET: found.append(path)
            case H5I_GROUP: found += try datasets(below: path)
            default: throw HDF5Error(self.path, path, "neither a group nor a dataset")
            }
        }
        return found.sorted()
    }

    /// Makes a group, and those that it lies in, unless it is there.
    ///
    /// The corresponding C function is `H5Gcreate2`.
    public func createGroup(_ group: String) throws(HDF5Error) {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        var prefix = ""
        for part in group.split(separator: "/") {
            prefix += "/" + part
            guard exists(prefix) || createOneGroup(prefix) else {
                throw HDF5Error(path, group, "cannot create the group")
            }
        }
    }

    private func createOneGroup(_ group: String) -> Bool {
        guard let properties = Identifier(H5Pcreate(chdf5_group_create()), H5Pclose) else { return false }
        return H5Pset_obj_track_times(properties.id, false) >= 0
            && Identifier(
                H5Gcreate2(identifier.id, group, chdf5_default(), properties.id, chdf5_default()), H5Gclose) != nil
    }

    /// Takes a group or dataset out of the file.
    ///
    /// The corresponding C function is `H5Ldelete`.
    public func delete(_ object: String) throws(HDF5Error) {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        guard H5Ldelete(identifier.id, object, chdf5_default()) >= 0 else {
            throw HDF5Error(path, object, "cannot be deleted")
        }
    }

    private func kind(of object: String) throws(HDF5Error) -> H5I_type_t {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        guard let opened = Identifier(H5Oopen(identifier.id, object, chdf5_default()), H5Oclose) else {
            throw HDF5Error(path, object, "it cannot be opened; the file is corrupt")
        }
        return H5Iget_type(opened.id)
    }
}
