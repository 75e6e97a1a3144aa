import CHDF5

extension File {
    /// Whether a group or dataset is at `object`, on each step of the way; not so where the way leads into another file
    /// that is not followed.
    public func exists(_ object: String) -> Bool { (try? isThere(object)) ?? false }

    /// Whether a group or dataset is at `object`.
    ///
    /// The corresponding C function is `H5Lexists`.
    ///
    /// - Throws: ``HDF5Error`` where the way leads into another file that is not followed.
    func isThere(_ object: String) throws(HDF5Error) -> Bool {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        var prefix = ""
        for part in object.split(separator: "/") {
            prefix += "/" + part
            guard H5Lexists(identifier.id, prefix, access.dataset) > 0 else {
                let error = HDF5Error(path, object, "there is no such object")
                if error.cause == .otherFile { throw error }
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
        guard let opened = Identifier(H5Gopen2(identifier.id, group, access.group), H5Gclose) else {
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
        try datasets(below: group, within: [look(at: group).address]).sorted()
    }

    /// A link may lead back to a group that it lies in: one of those at the addresses `ancestors`.
    private func datasets(below group: String, within ancestors: Set<UInt64>) throws(HDF5Error) -> [String] {
        guard ancestors.count <= 64 else {
            throw HDF5Error(path, group, "its groups lie deeper than 64 in one another")
        }
        var found: [String] = []
        for name in try children(of: group) {
            let path = group == "/" ? name : "\(group)/\(name)"
            let (kind, address) = try look(at: path)
            switch kind {
            case H5I_DATASET: found.append(path)
            case H5I_GROUP where !ancestors.contains(address):
                found += try datasets(below: path, within: ancestors.union([address]))
            case H5I_GROUP, H5I_DATATYPE: break
            default: throw HDF5Error(self.path, path, "neither a group nor a dataset")
            }
        }
        return found
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
        guard H5Ldelete(identifier.id, object, access.dataset) >= 0 else {
            throw HDF5Error(path, object, "cannot be deleted")
        }
    }

    /// What an object is, and where in the file it lies.
    private func look(at object: String) throws(HDF5Error) -> (kind: H5I_type_t, address: UInt64) {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        guard let opened = Identifier(H5Oopen(identifier.id, object, access.dataset), H5Oclose) else {
            throw HDF5Error(path, object, "it cannot be opened: it is corrupt, or a link to nothing")
        }
        return (H5Iget_type(opened.id), chdf5_address(opened.id))
    }
}
