import CHDF5

extension Dataset {
    /// Every element, row by row.
    public func read<T: Element>(_ type: T.Type) throws(HDF5Error) -> [T] {
        try read(type, elements: 0..<count)
    }

    /// The elements of a range of the flat, row-major order.
    public func read<T: Element>(_ type: T.Type, elements range: Range<Int>) throws(HDF5Error) -> [T] {
        var values = [T](repeating: .zero, count: range.count)
        var failure: HDF5Error?
        values.withUnsafeMutableBufferPointer { buffer in
            do throws(HDF5Error) { try read(into: buffer, elements: range) } catch { failure = error }
        }
        if let failure { throw failure }
        return values
    }

    /// Reads the elements of a range of the flat, row-major order, and nothing else, into `buffer`.
    ///
    /// The corresponding C function is `H5Dread`.
    public func read<T: Element>(into buffer: UnsafeMutableBufferPointer<T>, elements range: Range<Int>)
        throws(HDF5Error)
    {
        guard type == T.type else { throw HDF5Error(file, path, "it holds \(type), not \(T.type)") }
        try fill(buffer, range)
    }

    /// Every element of a dataset of floats, row by row, in float64: exact, whichever of the types it holds.
    ///
    /// The corresponding C function is `H5Dread`.
    public func readFloats() throws(HDF5Error) -> [Double] {
        guard type.isFloat else { throw HDF5Error(file, path, "it holds \(type), and no floats") }
        var values = [Double](repeating: .zero, count: count)
        var failure: HDF5Error?
        values.withUnsafeMutableBufferPointer { buffer in
            do throws(HDF5Error) { try fill(buffer, 0..<count) } catch { failure = error }
        }
        if let failure { throw failure }
        return values
    }

    /// Reads a range, converted to the type of `buffer`.
    private func fill<T: Element>(_ buffer: UnsafeMutableBufferPointer<T>, _ range: Range<Int>) throws(HDF5Error) {
        try transfer(range, buffer.count) { memory, file, offset in
            H5Dread(
                identifier.id, T.native.id(), memory, file, chdf5_default(),
                buffer.baseAddress.map { $0 + offset })
        } failure: {
            readingError(range)
        }
    }

    /// Writes `values` to a range of the flat, row-major order; the whole dataset unless given.
    public func write<T: Element>(_ values: [T], elements range: Range<Int>? = nil) throws(HDF5Error) {
        var failure: HDF5Error?
        values.withUnsafeBufferPointer { buffer in
            do throws(HDF5Error) { try write(from: buffer, elements: range) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Writes the elements of `buffer` to a range of the flat, row-major order; the whole dataset unless given.
    ///
    /// The corresponding C function is `H5Dwrite`.
    public func write<T: Element>(from buffer: UnsafeBufferPointer<T>, elements range: Range<Int>? = nil)
        throws(HDF5Error)
    {
        guard type == T.type else { throw HDF5Error(file, path, "it holds \(type), not \(T.type)") }
        let range = range ?? 0..<count
        try transfer(range, buffer.count) { memory, file, offset in
            H5Dwrite(
                identifier.id, T.native.id(), memory, file, chdf5_default(),
                buffer.baseAddress.map { $0 + offset })
        } failure: {
            HDF5Error(file, path, "cannot write elements \(range)")
        }
    }

    /// The text of a single string, of whichever kind.
    ///
    /// The corresponding C function is `H5Dread`.
    public func readString() throws(HDF5Error) -> String {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        guard
            let type = Identifier(H5Dget_type(identifier.id), H5Tclose),
            let space = Identifier(H5Dget_space(identifier.id), H5Sclose)
        else { throw HDF5Error(file, path, "cannot read the dataset's shape and type") }
        let texts = try StoredTexts(type.id, space.id, count, file, path).read {
            H5Dread(identifier.id, $0, chdf5_all(), chdf5_all(), chdf5_default(), $1)
        } failure: {
            readingError(0..<count)
        }
        guard texts.count == 1 else { throw HDF5Error(file, path, "it is not a single string") }
        return texts[0]
    }

    /// Splits a flat range into hyperslabs and moves each; `move` gets the memory's and the file's selection, and where
    /// in the buffer the slab begins.
    private func transfer(
        _ range: Range<Int>, _ capacity: Int,
        _ move: (_ memory: hid_t, _ file: hid_t, _ offset: Int) -> herr_t, failure: () -> HDF5Error
    ) throws(HDF5Error) {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        guard range.lowerBound >= 0, range.upperBound <= count, capacity == range.count else {
            throw HDF5Error(file, path, "elements \(range) of \(count) for \(capacity) in memory")
        }
        guard let selection = Identifier(H5Dget_space(identifier.id), H5Sclose) else {
            throw HDF5Error(file, path, "cannot read the dataset's shape")
        }
        for slab in Slab.covering(range, of: shape) {
            guard
                shape.isEmpty
                    || H5Sselect_hyperslab(selection.id, H5S_SELECT_SET, slab.start, nil, slab.extent, nil) >= 0,
                let memory = Identifier(H5Screate_simple(1, [hsize_t(slab.count)], nil), H5Sclose),
                move(memory.id, selection.id, slab.offset) >= 0
            else { throw failure() }
        }
    }
}

/// A box of a dataset whose elements are consecutive in row-major order.
struct Slab: Equatable {
    /// The box's first corner and extents.
    let start, extent: [hsize_t]
    /// Where its elements begin, from the start of the range.
    let offset: Int
    /// How many they are.
    let count: Int

    /// The fewest boxes, in order, that make up a flat range of a dataset of `shape`.
    static func covering(_ range: Range<Int>, of shape: [Int]) -> [Slab] {
        if range.isEmpty { return [] }
        if shape.isEmpty { return [Slab(start: [], extent: [], offset: 0, count: 1)] }
        var slabs: [Slab] = []
        var position = range.lowerBound
        while position < range.upperBound {
            // The largest axis at whose row the position stands, and of which whole rows fit.
            var axis = shape.count - 1
            var row = 1
            while axis > 0, position % (row * shape[axis]) == 0, position + row * shape[axis] <= range.upperBound {
                row *= shape[axis]
                axis -= 1
            }
            let index = position / row % shape[axis]
            let rows = min((range.upperBound - position) / row, shape[axis] - index)

            var start = [hsize_t](repeating: 0, count: shape.count)
            var rest = position
            for i in shape.indices.reversed() {
                start[i] = hsize_t(rest % shape[i])
                rest /= shape[i]
            }
            var extent = shape.map { hsize_t($0) }
            for i in 0..<axis { extent[i] = 1 }
            extent[axis] = hsize_t(rows)

            slabs.append(Slab(start: start, extent: extent, offset: position - range.lowerBound, count: rows * row))
            position += rows * row
        }
        return slabs
    }
}
