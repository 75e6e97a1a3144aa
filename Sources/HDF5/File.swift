import CHDF5
import Foundation

/// An open HDF5 file; closed when it goes out of scope.
public struct File: ~Copyable {
    /// The path that it was opened with.
    public let path: String
    let identifier: Identifier
    let access: LinkAccess

    /// Opens an existing file for reading.
    ///
    /// What its links, virtual datasets and external data name in other files is not read unless `followsOtherFiles`.
    ///
    /// The corresponding C function is `H5Fopen`.
    public init(reading path: String, followingOtherFiles followsOtherFiles: Bool = false) throws(HDF5Error) {
        try self.init(opening: path, isWritable: false, followsOtherFiles)
    }

    /// Opens an existing file for reading and writing.
    ///
    /// The corresponding C function is `H5Fopen`.
    public init(updating path: String) throws(HDF5Error) { try self.init(opening: path, isWritable: true, false) }

    /// Makes a new file, replacing what is at `path`. Its metadata carries checksums, as format 1.10 does, and no times.
    ///
    /// The corresponding C function is `H5Fcreate`.
    public init(creating path: String) throws(HDF5Error) {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        let access = try LinkAccess(path, followsOtherFiles: false)
        guard
            let format = Identifier(H5Pcreate(chdf5_file_access()), H5Pclose),
            H5Pset_libver_bounds(format.id, H5F_LIBVER_V110, H5F_LIBVER_V110) >= 0,
            let creation = Identifier(H5Pcreate(chdf5_file_create()), H5Pclose),
            H5Pset_obj_track_times(creation.id, false) >= 0,
            let identifier = Identifier(
                H5Fcreate(path, chdf5_truncate(), creation.id, format.id), H5Fclose)
        else { throw HDF5Error(path, "", "cannot create the file") }
        self.path = path
        self.identifier = identifier
        self.access = access
    }

    private init(opening path: String, isWritable: Bool, _ followsOtherFiles: Bool) throws(HDF5Error) {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        try Self.checkReadable(path)
        guard H5Fis_hdf5(path) > 0 else {
            _ = HDF5Library.takeErrors()
            throw HDF5Error(path, "", "it is not an HDF5 file")
        }
        let access = try LinkAccess(path, followsOtherFiles: followsOtherFiles)
        let mode = isWritable ? chdf5_read_write() : chdf5_read_only()
        guard let identifier = Identifier(H5Fopen(path, mode, chdf5_default()), H5Fclose) else {
            throw Self.openingError(path)
        }
        self.path = path
        self.identifier = identifier
        self.access = access
    }

    private static func checkReadable(_ path: String) throws(HDF5Error) {
        var status = stat()
        guard stat(path, &status) == 0, Glibc.access(path, R_OK) == 0 else {
            let isMissing = errno == ENOENT || errno == ENOTDIR
            throw HDF5Error(
                path, "",
                isMissing ? "there is no such file" : "it cannot be read (\(String(cString: strerror(errno))))")
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw HDF5Error(path, "", "it is a folder, not a file")
        default: throw HDF5Error(path, "", "it is no regular file")
        }
    }

    /// Why a file of HDF5's could not be opened: a lock that another holds, the mark that a writer leaves in it while it
    /// has it open, or what it holds.
    private static func openingError(_ path: String) -> HDF5Error {
        let error = HDF5Error(path, "", "the file is truncated or corrupt")
        if error.detail == String(cString: strerror(EAGAIN)) {
            return HDF5Error(path, "", "another program has it open", .inUse)
        }
        if error.detail.contains("already open for") {
            return HDF5Error(path, "", "another program has it open for writing, or ended without closing it", .marked)
        }
        return error
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
