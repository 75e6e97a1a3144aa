import CHDF5

extension File {
    /// The numbers of an attribute of the group or dataset at `object`; one for a scalar.
    ///
    /// The corresponding C function is `H5Aread`.
    public func attribute<T: Element>(_ name: String, of object: String, as type: T.Type) throws(HDF5Error) -> [T] {
        try withAttribute(name, of: object) { attribute, fileType, _, count throws(HDF5Error) in
            guard ElementType(fileType) == T.type else {
                throw HDF5Error(path, "\(object)@\(name)", "it holds \(ElementType(fileType)), not \(T.type)")
            }
            var values = [T](repeating: .zero, count: count)
            guard H5Aread(attribute, T.native.id(), &values) >= 0 else {
                throw HDF5Error(path, "\(object)@\(name)", "cannot read the attribute")
            }
            return values
        }
    }

    /// The texts of an attribute of the group or dataset at `object`, of whichever kind of string; one for a scalar, and
    /// none where it has no elements.
    ///
    /// The corresponding C function is `H5Aread`.
    public func texts(_ name: String, of object: String) throws(HDF5Error) -> [String] {
        try withAttribute(name, of: object) { attribute, type, space, count throws(HDF5Error) in
            try StoredTexts(type, space, count, path, "\(object)@\(name)").read {
                H5Aread(attribute, $0, $1)
            } failure: {
                HDF5Error(path, "\(object)@\(name)", "cannot read the attribute")
            }
        }
    }

    /// The text of an attribute that is a single string.
    public func textAttribute(_ name: String, of object: String) throws(HDF5Error) -> String {
        let texts = try texts(name, of: object)
        guard texts.count == 1 else {
            throw HDF5Error(path, "\(object)@\(name)", "it is \(texts.count) strings, not one")
        }
        return texts[0]
    }

    /// Whether the group or dataset at `object` has an attribute of that name.
    public func hasAttribute(_ name: String, of object: String) -> Bool {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        return exists(object) && H5Aexists_by_name(identifier.id, object, name, access.dataset) > 0
    }

    /// Sets an attribute of the group or dataset at `object`; a single value as a scalar.
    ///
    /// The corresponding C functions are `H5Acreate_by_name` and `H5Awrite`.
    public func setAttribute<T: Element>(_ name: String, of object: String, to values: [T]) throws(HDF5Error) {
        try write(name, object, T.native.id(), values.count == 1 ? nil : values.count) { H5Awrite($0, $1, values) }
    }

    /// Sets an attribute of the group or dataset at `object` to a text.
    ///
    /// The corresponding C functions are `H5Acreate_by_name` and `H5Awrite`.
    public func setAttribute(_ name: String, of object: String, to text: String) throws(HDF5Error) {
        let bytes = Array(text.utf8)
        guard
            let type = Identifier(H5Tcopy(chdf5_c_string()), H5Tclose),
            H5Tset_size(type.id, max(bytes.count, 1)) >= 0, H5Tset_cset(type.id, H5T_CSET_UTF8) >= 0,
            H5Tset_strpad(type.id, H5T_STR_NULLPAD) >= 0
        else { throw HDF5Error(path, "\(object)@\(name)", "cannot make a text type") }
        try write(name, object, type.id, nil) { H5Awrite($0, $1, bytes.isEmpty ? [0] : bytes) }
    }

    private func withAttribute<Value>(
        _ name: String, of object: String,
        _ body: (_ attribute: hid_t, _ type: hid_t, _ space: hid_t, _ count: Int) throws(HDF5Error) -> Value
    ) throws(HDF5Error) -> Value {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        guard try isThere(object), hasAttribute(name, of: object) else {
            throw HDF5Error(path, "\(object)@\(name)", "there is no such attribute")
        }
        guard
            let attribute = Identifier(
                H5Aopen_by_name(identifier.id, object, name, chdf5_default(), access.dataset), H5Aclose),
            let type = Identifier(H5Aget_type(attribute.id), H5Tclose),
            let space = Identifier(H5Aget_space(attribute.id), H5Sclose),
            case let count = H5Sget_simple_extent_npoints(space.id), (0...1 << 20).contains(count)
        else { throw HDF5Error(path, "\(object)@\(name)", "cannot open the attribute") }
        return try body(attribute.id, type.id, space.id, Int(count))
    }

    private func write(
        _ name: String, _ object: String, _ type: hid_t, _ count: Int?, _ body: (hid_t, hid_t) -> herr_t
    ) throws(HDF5Error) {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        if hasAttribute(name, of: object) { H5Adelete_by_name(identifier.id, object, name, chdf5_default()) }
        guard
            let space = Identifier(
                count.map { H5Screate_simple(1, [hsize_t($0)], nil) } ?? H5Screate(H5S_SCALAR), H5Sclose),
            let attribute = Identifier(
                H5Acreate_by_name(
                    identifier.id, object, name, type, space.id, chdf5_default(), chdf5_default(), chdf5_default()),
                H5Aclose),
            body(attribute.id, type) >= 0
        else { throw HDF5Error(path, "\(object)@\(name)", "cannot write the attribute") }
    }
}
