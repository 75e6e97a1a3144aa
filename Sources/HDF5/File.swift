import CHDF5
import Foundation

/// An open HDF5 file; closed when it goes out of scope.
public struct File: ~Copyable {
    /// The path that it was opened with.
    public let path: String
    let identifier: Identifier

    /// Opens an existing file for reading.
    ///
    /// The corresponding C function is `H5Fopen`.
    public init(reading path: String) throws(HDF5Error) { try self.init(opening: path, isWritable: false) }

    /// Opens an existing file for reading and writing.
    ///
    /// The corresponding C function is `H5Fopen`.
    public init(updating path: String) throws(HDF5Error) { try self.init(opening: path, isWritable: true) }

    /// Makes a new file, replacing what is at `path`. Its metadata carries checksums, as format 1.10 does, and no times.
    ///
    /// The corresponding C function is `H5Fcreate`.
    public init(creating path: String) throws(HDF5Error) {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        guard
            let access = Identifier(H5Pcreate(chdf5_file_access()), H5Pclose),
            H5Pset_libver_bounds(access.id, H5F_LIBVER_V110, H5F_LIBVER_V110) >= 0,
            let creation = Identifier(H5Pcreate(chdf5_file_create()), H5Pclose),
            H5Pset_obj_track_times(creation.id, false) >= 0,
            let identifier = Identifier(
                H5Fcreate(path, chdf5_truncate(), creation.id, access.id), H5Fclose)
        else { throw HDF5Error(path, "", "cannot create the file") }
        self.path = path
        self.identifier = identifier
    }

    private init(opening path: String, isWritable: Bool) throws(HDF5Error) {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw HDF5Error(path, "", "there is no such file")
        }
        guard !isDirectory.boolValue else { throw HDF5Error(path, "", "it is a folder, not a file") }
        guard H5Fis_hdf5(path) > 0 else {
            _ = HDF5Library.takeErrors()
            throw HDF5Error(path, "", "it is not an HDF5 file")
        }
        let mode = isWritable ? chdf5_read_write() : chdf5_read_only()
        guard let identifier = Identifier(H5Fopen(path, mode, chdf5_default()), H5Fclose) else {
            throw HDF5Error(path, "", "the file is truncated or corrupt")
        }
        self.path = path
        self.identifier = identifier
    }

    /// Writes what is buffered to the operating system.
    ///
    /// The corresponding C function is `H5Fflush`.
    public func flush() throws(HDF5Error) {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        guard H5Fflush(identifier.id, H5F_SCOPE_GLOBAL) >= 0 else { throw HDF5Error(path, "", "cannot flush the file") }
    }
}
